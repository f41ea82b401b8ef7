// Shared by direct convolutions and Winograd's: panels of output channels, the product of a row, and the sums of a
// gradient of weights.
#pragma once
#include <algorithm>
#include <cstring>
#include <vector>

#include "engine.h"

namespace nextslice {

inline int ceil_div(int a, int b) { return (a + b - 1) / b; }

// Panels cuts the output channels into panels of two vectors, the last one of one vector where that is enough.
struct Panels {
  int vw, o;
  Panels(const Kernels& k, int channels) : vw(k.width), o(channels) {}
  int count() const { return ceil_div(o, 2 * vw); }
  int vectors(int p) const { return o - p * 2 * vw > vw ? 2 : 1; }
  int first(int p) const { return p * 2 * vw; }
  int valid(int p) const { return std::min(o - first(p), vectors(p) * vw); }
  int padded() const { return ceil_div(o, vw) * vw; }
};

// Source tells where weight (tap, in, out) of a product lies: at + tap·tap_step + in·in_step + out·out_step.
struct Source {
  const float* at;
  ptrdiff_t tap_step, in_step, out_step;
};

// row_product computes one output row, of w pixels, of a panel, in as few tiles as possible, some of which are one pixel wider
// than the others. p describes the first tile and is changed.
inline void row_product(const Kernels& k, Product& p, int w, int vectors) {
  const int max = vectors == 2 ? k.max2 : k.max1;
  auto* table = vectors == 2 ? k.product2 : k.product1;
  const int tiles = ceil_div(w, max), least = w / tiles, wider = w % tiles;
  if (wider) {
    const int width = least + 1;
    p.count = wider;
    table[width](p);
    for (int r = 0; r < p.kh; ++r) p.rows[r] += static_cast<ptrdiff_t>(wider) * width * kLanes;
    p.out += wider * width * p.ldo;
  }
  p.count = tiles - wider;
  table[least](p);
}

// outer_products adds x ⊗ dy of one tap, for some channels of a block and all vectors of dy, to out [channel][ldo], which counts
// as zero when it is fresh.
inline void outer_products(const Kernels& k, int vectors, int channels, const float* x, ptrdiff_t xrow, const float* dy,
                           ptrdiff_t dyrow, ptrdiff_t dypixel, int rows, int pixels, float* out, ptrdiff_t ldo, bool fresh) {
  const int max = vectors == 2 ? k.outer2 : k.outer1;
  auto* table = vectors == 2 ? k.outer_2 : k.outer_1;
  for (int l = 0; l < channels; l += max)
    table[std::min(max, channels - l)]({x + l, xrow, dy, dyrow, dypixel, rows, pixels, out + l * ldo, ldo, fresh});
}

// Gradient sums up gradients of weights. The parts of a job form groups with partial sums of their own, each [taps][in][padded o]
// followed by the bias, which are added up in order, so the result does not depend on which thread computed which.
struct Gradient {
  ns_engine* e;
  int taps, in, o, padded, groups;
  size_t size;
  std::vector<float*> sums_of;  // by group, in memory of the thread that is to compute it

  // Groups of a thread whose sums are small (below 256 KB): threads can then help each other out. Large sums would leave the
  // cache.
  static constexpr int kSmallGroups = 4;
  static constexpr size_t kSmallSums = 64 * 1024;  // floats

  Gradient(ns_engine* engine, int taps_, int in_, int o_, int parts)
      : e(engine), taps(taps_), in(in_), o(o_), padded(Panels(narrow(e->k, o_), o_).padded()) {
    size = (static_cast<size_t>(taps) * in + 1) * padded;
    const int threads = e->team.threads();
    groups = std::min(parts, threads * (size < kSmallSums ? kSmallGroups : 1));
    for (int t = 0; t < threads; ++t) {
      const int from = groups * t / threads, to = groups * (t + 1) / threads;
      float* room = e->sums[t].get(size * (to - from));
      for (int g = from; g < to; ++g) sums_of.push_back(room + size * (g - from));
    }
  }
  float* group(int g) const { return sums_of[g]; }
  float* bias(int g) const { return group(g) + size - padded; }

  // each calls f(part, thread, sums, fresh) for all parts, and done(sums) after the last one of a group. In the first part of a
  // group, where fresh is set, the sums of the weights are undefined and those of the bias zero.
  template <typename Done, typename F>
  void each(int parts, Done done, F f) {
    e->team.run(groups, [&](int g, int thread) {
      std::memset(bias(g), 0, padded * sizeof(float));
      const int from = static_cast<int>(static_cast<int64_t>(parts) * g / groups);
      const int to = static_cast<int>(static_cast<int64_t>(parts) * (g + 1) / groups);
      for (int p = from; p < to; ++p) f(p, thread, group(g), p == from);
      done(group(g));
    });
  }

  // run calls f(part, thread, sums) for all parts and then writes dw and db.
  template <typename F>
  void run(int parts, float* dw, float* db, F f) {
    each(parts, [](float*) {}, [&](int part, int thread, float* sums, bool fresh) {
      if (fresh) std::memset(sums, 0, (size - padded) * sizeof(float));
      f(part, thread, sums);
    });
    add_up(taps, dw, db);
  }

  // add_up writes dw [kept][in][o], the first taps of the groups' sums, and db.
  void add_up(int kept, float* dw, float* db) const {
    const int rows = kept * in;
    if (padded == o) {
      e->team.run_by_address(dw, static_cast<int64_t>(rows) * o, [&](int64_t from, int64_t n) {
        std::memcpy(dw + from, group(0) + from, n * sizeof(float));
        for (int g = 1; g < groups; ++g) e->k.add(dw + from, group(g) + from, n);
      });
    } else {
      for (int g = 0; g < groups; ++g)
        for (int r = 0; r < rows; ++r)
          for (int i = 0; i < o; ++i) {
            float& to = dw[static_cast<size_t>(r) * o + i];
            const float v = group(g)[static_cast<size_t>(r) * padded + i];
            to = g ? to + v : v;
          }
    }
    for (int i = 0; i < o; ++i) {
      db[i] = bias(0)[i];
      for (int g = 1; g < groups; ++g) db[i] += bias(g)[i];
    }
  }

  // outer adds x ⊗ dy of one tap, for all input channels and one panel of dy, to sums, which count as zero when they are fresh.
  void outer(const float* x, ptrdiff_t block, ptrdiff_t xrow, const float* dy, ptrdiff_t dyrow, ptrdiff_t dypixel,
             int rows, int pixels, int panel, float* sums, bool fresh = false) const {
    const Kernels& k = narrow(e->k, o);
    const int vectors = Panels(k, o).vectors(panel);
    for (int c = 0; c < in; c += kLanes, x += block)
      outer_products(k, vectors, std::min(kLanes, in - c), x, xrow, dy, dyrow, dypixel, rows, pixels,
                     sums + static_cast<size_t>(c) * padded, padded, fresh);
  }
};

// winograd_fits reports whether a 3×3 convolution between so many channels can be carried out by winograd.
bool winograd_fits(const ns_engine* e, int in, int out);

// planar computes a 3×3 convolution of px with padding 1 to y [n h w o], pixels ystride floats apart, where planar_fits: from fewer than
// kPlanarChannels channels. Without a bias it is zero.
constexpr int kPlanarChannels = 8;
bool planar_fits(const ns_engine* e, const ns_shape& s, int k, int o);
void planar(ns_engine* e, const ns_shape& s, const float* px, const Source& w, int o, const float* bias, bool leaky, float slope, float* y,
            int ystride);

// classes computes a 1×1 convolution likewise, with weights [c o], where classes_fit: to half as many outputs as a vector has lanes, or fewer.
bool classes_fit(const ns_engine* e, const ns_shape& s, int k, int o);
void classes(ns_engine* e, const ns_shape& s, const float* px, const float* w, int o, const float* bias, bool leaky, float slope, float* y,
             int ystride);

// Convolution is a 3×3 convolution of px [n h w c] with padding 1 to y.
struct Convolution {
  ns_shape s;
  const float* px;
  Source w;
  int channels;  // of y
  const float* bias;  // nullptr for zero
  bool leaky;
  float slope;
  ns_output y;
  ns_mask in, out;  // of px and of y; threshold 0 is none
};

// winograd computes what `convolve` does directly.
void winograd(ns_engine* e, const Convolution& c);

// Subpixels are the four pixels that a shuffled output has for each pixel of the input, or the one that another output has: the q-th
// ones of row r, counted through all items, begin at row(r, q) and are `step` floats apart.
struct Subpixels {
  const ns_output& y;
  int w, factor;  // pixels in a row of the input; how many times as many y has
  int count, step;
  Subpixels(const ns_output& output, int width)
      : y(output), w(width), factor(output.shuffle ? 2 : 1), count(factor * factor), step(factor * output.stride) {}
  float* row(ptrdiff_t r, int q) const { return y.at + ((r * factor + q / 2) * factor * w + q % 2) * y.stride; }
};

// winograd_weights computes the gradients of the weights [3 3 c o] and of the bias; the mask is that of px.
void winograd_weights(ns_engine* e, const ns_shape& s, const float* px, int o, float* dw, float* db, const float* dy,
                      const ns_mask& mask);

}  // namespace nextslice
