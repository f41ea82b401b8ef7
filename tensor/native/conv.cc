// Direct convolutions: rows of the input are packed with their zero border into blocks of kLanes channels, small
// enough for the second-level cache, and multiplied with packed weights in register tiles. The gradient of the data is
// the same product with rotated, transposed weights; the gradient of the weights accumulates outer products.
#include <algorithm>
#include <cstring>

#include "amx.h"
#include "conv.h"
#include "library.h"

using namespace nextslice;

namespace {

// A strip's packed input. 384 KB leave room for weights and outputs in a second-level cache of 512 KB to 1 MB.
constexpr ptrdiff_t kStripFloats = 96 * 1024;
// Rows of a strip at most: with more the border rows that are packed twice hardly matter, and fewer parts can be shared out.
constexpr int kStripRows = 16;
// Pixels that a gradient of weights sums up before the next ones are read: 16 channels of them and of their gradients, 20 KB,
// stay in the first-level cache.
constexpr int kBlockPixels = 160;
// Pixels of a part of narrow_weights: 64 KB when packed.
constexpr int64_t kNarrowPixels = 1024;

// pack_weights writes panels [panel][block][tap][lane][vectors·vw], zero beyond the last channel, and returns each
// panel's size in floats per vector.
size_t pack_weights(ns_engine* e, Buffer& buffer, const Source& s, int taps, int in, int out) {
  const Panels panels(narrow(e->k, out), out);
  const int vw = panels.vw;
  const size_t per_vector = static_cast<size_t>(taps) * in * vw;
  float* dst = buffer.get(per_vector * 2 * panels.count());
  e->team.run(panels.count(), [&](int p, int) {
    const int lanes = panels.vectors(p) * vw, valid = panels.valid(p), first = panels.first(p);
    float* d = dst + per_vector * 2 * p;
    for (int c = 0; c < in; c += kLanes)
      for (int t = 0; t < taps; ++t)
        for (int i = c; i < std::min(in, c + kLanes); ++i, d += lanes) {
          const float* w = s.at + t * s.tap_step + i * s.in_step + first * s.out_step;
          if (s.out_step == 1)
            std::memcpy(d, w, valid * sizeof(float));
          else
            for (int j = 0; j < valid; ++j) d[j] = w[j * s.out_step];
          std::fill(d + valid, d + lanes, 0.0f);
        }
  });
  return per_vector;
}

// pack_row writes `pixels` pixels of c channels, `step` floats apart, as [block][border + pixels + border][kLanes].
void pack_row(const Kernels& k, float* dst, const float* src, int pixels, int c, ptrdiff_t step, int border,
              ptrdiff_t block) {
  for (int b = 0; b < c; b += kLanes, dst += block) {
    const int lanes = std::min(kLanes, c - b);
    float* d = dst + border * kLanes;
    const float* s = src + b;
    if (border) {
      std::memset(dst, 0, kLanes * sizeof(float));
      std::memset(d + static_cast<ptrdiff_t>(pixels) * kLanes, 0, kLanes * sizeof(float));
    }
    k.pack(d, s, pixels, step, lanes);
  }
}

// Image is the input of a product: [n h w c], seen either as it is, with a border of one pixel for a 3×3 kernel, or,
// for a single channel, as gradients have it, with the nine neighbours of each pixel as its channels, so that fewer lanes are empty.
struct Image {
  const Kernels& k;
  const float* x;
  int n, h, w, c, border;
  bool gathered;  // nine neighbours as channels
  ptrdiff_t stride;

  Image(const ns_engine* e, const float* px, const ns_shape& s, int kernel)
      : k(e->k), x(px), n(s.n), h(s.h), w(s.w), c(s.c), border(kernel / 2), gathered(kernel == 3 && s.c == 1),
        stride(s.stride) {
    if (gathered) c = kTaps, border = 0;
  }
  int kernel() const { return 2 * border + 1; }
  bool is_packed() const { return border == 0 && !gathered && stride == kLanes && c <= kLanes; }
  ptrdiff_t block() const { return static_cast<ptrdiff_t>(w + 2 * border) * kLanes; }
  ptrdiff_t row() const { return block() * ceil_div(c, kLanes); }

  // pack writes rows [from - border, to + border) of item i; what lies outside is zero.
  void pack(float* dst, int i, int from, int to) const {
    for (int r = from - border; r < to + border; ++r, dst += row()) {
      if (gathered)
        gather(dst, i, r);
      else if (r < 0 || r >= h)
        std::memset(dst, 0, row() * sizeof(float));
      else
        pack_row(k, dst, x + (static_cast<ptrdiff_t>(i) * h + r) * w * stride, w, c, stride, border, block());
    }
  }

 private:
  // gather writes the nine neighbours of each pixel of a row, of the only channel. Three at a time go in one store of four
  // lanes; the fourth is overwritten by the next kernel row, or never read.
  void gather(float* dst, int i, int r) const {
    for (int tap = 0; tap < kTaps; tap += 3, dst += 3) {
      const int from = r + tap / 3 - 1;
      const float* s = x + (static_cast<ptrdiff_t>(i) * h + from) * w;
      const bool inside = from >= 0 && from < h;
      for (int p = 0; p < w; ++p) {
        float* d = dst + p * kLanes;
        if (inside && p > 0 && p + 2 < w)
          std::memcpy(d, s + p - 1, 4 * sizeof(float));
        else
          for (int t = -1; t <= 1; ++t) d[t + 1] = inside && p + t >= 0 && p + t < w ? s[p + t] : 0;
      }
    }
  }
};

// Strips cuts the rows of all items into parts whose packed input fits the second-level cache.
struct Strips {
  int rows, per_item, count;
  Strips(const Image& x, int threads) {
    rows = static_cast<int>(std::clamp<ptrdiff_t>(kStripFloats / x.row() - 2 * x.border, 1, kStripRows));
    const int wanted = ceil_div(4 * threads, x.n);  // parts per item that keep every thread busy
    rows = std::max(1, std::min(rows, ceil_div(x.h, wanted)));
    per_item = ceil_div(x.h, rows);
    count = per_item * x.n;
  }
};

// convolve computes y [n h w o], pixels ystride floats apart, of a packed product.
void convolve(ns_engine* e, const Image& x, const Source& w, int o, const float* bias, bool leaky, float slope,
              float* y, int ystride) {
  const Kernels& k = narrow(e->k, o);
  const int kernel = x.kernel(), taps = kernel * kernel;
  const size_t per_vector = pack_weights(e, e->weights, w, taps, x.c, o);
  const float* packed = e->weights.get(0);
  const Panels panels(k, o);
  std::vector<float> padded(panels.padded(), 0.0f);
  if (bias) std::copy(bias, bias + o, padded.begin());
  const Strips strips(x, e->team.threads());
  e->team.run(strips.count, [&](int part, int thread) {
    const int item = part / strips.per_item, from = part % strips.per_item * strips.rows;
    const int to = std::min(x.h, from + strips.rows);
    const float* in = x.x + (static_cast<ptrdiff_t>(item) * x.h + from) * x.row();
    if (!x.is_packed()) {
      float* room = e->local[thread].get((to - from + 2 * x.border) * x.row());
      x.pack(room, item, from, to);
      in = room;
    }
    for (int p = 0; p < panels.count(); ++p)
      for (int r = from; r < to; ++r) {
        Product q{};
        for (int i = 0; i < kernel; ++i) q.rows[i] = in + (r - from + i) * x.row();
        q.kh = q.kw = kernel;
        q.block = x.block();
        q.channels = x.c;
        q.weights = packed + per_vector * 2 * p;
        q.bias = padded.data() + panels.first(p);
        q.leaky = leaky;
        q.slope = slope;
        q.out = y + (static_cast<ptrdiff_t>(item) * x.h + r) * x.w * ystride + panels.first(p);
        q.ldo = ystride;
        q.valid = panels.valid(p);
        row_product(k, q, x.w, panels.vectors(p));
      }
  });
}

// Padded gives dy with whole vectors readable: itself, or a packed copy where channels do not fill them.
struct Padded {
  const float* at;
  ptrdiff_t row, pixel;
};
Padded pad(const float* dy, int rows, int pixels, int o, int padded, ptrdiff_t row, ptrdiff_t pixel, float* room) {
  if (o == padded) return {dy, row, pixel};
  for (int r = 0; r < rows; ++r)
    for (int p = 0; p < pixels; ++p) {
      float* d = room + (static_cast<ptrdiff_t>(r) * pixels + p) * padded;
      std::copy_n(dy + r * row + p * pixel, o, d);
      std::fill(d + o, d + padded, 0.0f);
    }
  return {room, static_cast<ptrdiff_t>(pixels) * padded, padded};
}

// drop multiplies x, of a dense tensor's shape, by a mask.
void drop(ns_engine* e, const ns_shape& s, float* x, const ns_mask& mask) {
  const int row = s.w * s.c;
  e->team.run(s.n * s.h, [&](int r, int) {
    const uint32_t number = mask.period ? r % s.h : r;
    e->k.dropout(x + static_cast<ptrdiff_t>(r) * row, row, mask, number * static_cast<uint32_t>(row));
  });
}

// dropped returns px times a mask: itself without one, else a copy.
const float* dropped(ns_engine* e, const ns_shape& s, const float* px, const ns_mask& mask) {
  if (!mask.threshold) return px;
  const size_t size = static_cast<size_t>(s.n) * s.h * s.w * s.c;
  float* copy = e->masked.get(size);
  std::memcpy(copy, px, size * sizeof(float));
  drop(e, s, copy, mask);
  return copy;
}

// narrow_weights computes the gradients of a 1×1 convolution to fewer channels than a vector has; x fills the vectors instead of dy:
// dwᵀ[o][c] = Σ dy[o]·x[c].
void narrow_weights(ns_engine* e, const ns_shape& s, int o, float* dw, float* db, const float* dy, const float* px) {
  const int64_t pixels = static_cast<int64_t>(s.n) * s.h * s.w, chunk = kNarrowPixels;
  const int parts = static_cast<int>((pixels + chunk - 1) / chunk);
  const Panels panels(e->k, s.c);
  Gradient g(e, 1, o, s.c, parts);
  std::vector<float> turned(static_cast<size_t>(o) * s.c), unused(s.c);
  float* sums_of_dy = e->partial.get(static_cast<size_t>(parts) * o);
  g.run(parts, turned.data(), unused.data(), [&](int part, int thread, float* sums) {
    const int64_t from = part * chunk, n = std::min(chunk, pixels - from);
    float* lanes = e->local[thread].get(chunk * kLanes);
    e->k.pack(lanes, dy + from * o, static_cast<int>(n), o, o);
    for (int p = 0; p < panels.count(); ++p)
      g.outer(lanes, 0, 0, px + from * s.stride + panels.first(p), 0, s.stride, 1, static_cast<int>(n), p, sums + panels.first(p));
    float* sum = sums_of_dy + static_cast<ptrdiff_t>(part) * o;
    std::fill_n(sum, o, 0.0f);
    e->k.channel_sums(dy + from * o, n, o, o, sum);
  });
  for (int i = 0; i < s.c; ++i)
    for (int j = 0; j < o; ++j) dw[i * o + j] = turned[static_cast<size_t>(j) * s.c + i];
  std::fill_n(db, o, 0.0f);
  for (int p = 0; p < parts; ++p)
    for (int j = 0; j < o; ++j) db[j] += sums_of_dy[static_cast<ptrdiff_t>(p) * o + j];
}

// clear_beyond zeroes what lies beyond twice the input's size of a transposed convolution's output.
void clear_beyond(const ns_shape& s, const ns_shape& ys, float* y) {
  for (int item = 0; item < s.n; ++item, y += static_cast<ptrdiff_t>(ys.h) * ys.w * ys.stride) {
    if (ys.w > 2 * s.w)
      for (int r = 0; r < 2 * s.h; ++r) std::fill_n(y + (static_cast<ptrdiff_t>(r) * ys.w + ys.w - 1) * ys.stride, ys.c, 0.0f);
    if (ys.h > 2 * s.h)
      for (int c = 0; c < ys.w; ++c) std::fill_n(y + (static_cast<ptrdiff_t>(ys.h - 1) * ys.w + c) * ys.stride, ys.c, 0.0f);
  }
}

bool by_amx(const ns_engine* e, int k, int in, int out) { return k == 3 && amx_fits(e, in, out); }

bool by_winograd(const ns_engine* e, int k, int in, int out) {
  return k == 3 && e->winograd && winograd_fits(e, in, out);
}

// indirect returns what carries out a 3×3 convolution between so many channels in another way than directly, nullptr if nothing does.
void (*indirect(const ns_engine* e, int k, int in, int out))(ns_engine*, const Convolution&) {
  return by_amx(e, k, in, out) ? amx : by_winograd(e, k, in, out) ? winograd : nullptr;
}

}  // namespace

extern "C" int ns_conv(ns_engine* e, ns_conv_op op, ns_shape s, ns_output y, const float* px, const float* w,
                       const float* b) {
  return guarded(e, [&] {
    const int channels = op.o, k = op.k;
    const bool leaky = op.leaky != 0;
    const float slope = op.slope;
    const ns_mask& mask = op.mask;
    const Subpixels to(y, s.w);
    const int o = channels * to.count;
    const ptrdiff_t io = static_cast<ptrdiff_t>(s.c) * o;
    if (auto* product = indirect(e, k, s.c, channels)) return product(e, {s, px, Source{w, io, o, 1}, channels, b, leaky, slope, y, mask, {}});
    px = dropped(e, s, px, mask);
    auto run = [&](const float* bias, bool with_leaky, float* dst, int stride) {
      if (e->library) return e->library->forward(e, s, o, k, false, with_leaky, slope, dst, stride, px, w, bias);
      if (planar_fits(e, s, k, o)) return planar(e, s, px, Source{w, io, o, 1}, o, bias, with_leaky, slope, dst, stride);
      if (classes_fit(e, s, k, o)) return classes(e, s, px, w, o, bias, with_leaky, slope, dst, stride);
      convolve(e, Image(e, px, s, k), Source{w, io, o, 1}, o, bias, with_leaky, slope, dst, stride);
    };
    if (!y.add && !y.shuffle) return run(b, leaky, y.at, y.stride);
    float* sums = e->partial.get(static_cast<size_t>(s.n) * s.h * s.w * o);
    run(nullptr, false, sums, o);
    e->team.run(s.n * s.h, [&](int row, int) {
      for (int q = 0; q < to.count; ++q) {
        float* out = to.row(row, q);
        const float* from = sums + static_cast<ptrdiff_t>(row) * s.w * o + q * channels;
        for (int p = 0; p < s.w; ++p, out += to.step, from += o)
          for (int c = 0; c < channels; ++c) {
            const float v = from[c] + b[c] + (y.add ? out[c] : 0.0f);
            out[c] = v > 0 || !leaky ? v : v * slope;
          }
      }
    });
  });
}

extern "C" int ns_conv_backward_data(ns_engine* e, ns_conv_op op, ns_shape s, float* dx, const float* dy,
                                     const float* w) {
  return guarded(e, [&] {
    const int o = op.o, k = op.k;
    const ns_mask& mask = op.mask;
    const ptrdiff_t io = static_cast<ptrdiff_t>(s.c) * o;
    const ns_shape d{s.n, s.h, s.w, o, o};
    const Source turned{w + (k * k - 1) * io, -io, 1, o};  // rotated and transposed
    if (auto* product = indirect(e, k, o, s.c)) return product(e, {d, dy, turned, s.c, nullptr, false, 0, ns_output{dx, s.c, 0, 0}, {}, mask});
    if (e->library) {
      e->library->forward(e, s, o, k, true, false, 0, dx, s.c, dy, w, nullptr);
    } else if (const Image x(e, dy, d, k); x.gathered) {  // channels are (tap, o): turned by hand
      std::vector<float> rotated(kTaps * io);
      for (int t = 0; t < kTaps; ++t)
        for (int i = 0; i < s.c; ++i)
          for (int j = 0; j < o; ++j) rotated[(static_cast<size_t>(t) * o + j) * s.c + i] = w[(kTaps - 1 - t) * io + i * o + j];
      convolve(e, x, Source{rotated.data(), 0, s.c, 1}, s.c, nullptr, false, 0, dx, s.c);
    } else {
      convolve(e, x, turned, s.c, nullptr, false, 0, dx, s.c);
    }
    if (mask.threshold) drop(e, s, dx, mask);
  });
}

extern "C" int ns_conv_backward_weights(ns_engine* e, ns_conv_op op, ns_shape s, float* dw, float* db, const float* dy,
                                        const float* px) {
  return guarded(e, [&] {
    const int o = op.o, k = op.k;
    const ns_mask& mask = op.mask;
    if (by_amx(e, k, s.c, o)) return amx_weights(e, s, px, o, dw, db, dy, mask);
    if (by_winograd(e, k, s.c, o)) return winograd_weights(e, s, px, o, dw, db, dy, mask);
    px = dropped(e, s, px, mask);
    if (k == 1 && o < e->k.width && s.c % e->k.width == 0 && !e->library)
      return narrow_weights(e, s, o, dw, db, dy, px);
    if (e->library) return e->library->backward_weights(e, s, o, k, dw, db, dy, px);
    const Image x(e, px, s, k);
    const int kernel = x.kernel();
    const Strips strips(x, e->team.threads());
    const Panels panels(narrow(e->k, o), o);
    Gradient g(e, kernel * kernel, x.c, o, strips.count);
    const int block_rows = std::max(1, kBlockPixels / x.w);
    g.run(strips.count, dw, db, [&](int part, int thread, float* sums) {
      const int item = part / strips.per_item, from = part % strips.per_item * strips.rows;
      const int to = std::min(x.h, from + strips.rows);
      const size_t packed = (to - from + 2 * x.border) * x.row();
      float* in = e->local[thread].get(packed + static_cast<size_t>(block_rows) * x.w * g.padded);
      x.pack(in, item, from, to);
      for (int r = from; r < to; r += block_rows) {
        const int rows = std::min(block_rows, to - r);
        const float* d = dy + (static_cast<ptrdiff_t>(item) * x.h + r) * x.w * o;
        narrow(e->k, o).channel_sums(d, static_cast<int64_t>(rows) * x.w, o, o, sums + static_cast<size_t>(g.taps) * x.c * g.padded);
        const Padded q = pad(d, rows, x.w, o, g.padded, static_cast<ptrdiff_t>(x.w) * o, o, in + packed);
        for (int p = 0; p < panels.count(); ++p)
          for (int t = 0; t < g.taps; ++t)
            g.outer(in + (r - from + t / kernel) * x.row() + t % kernel * kLanes, x.block(), x.row(),
                    q.at + panels.first(p), q.row, q.pixel, rows, x.w, p,
                    sums + static_cast<size_t>(t) * x.c * g.padded + panels.first(p));
      }
    });
  });
}

extern "C" int ns_up(ns_engine* e, ns_shape s, ns_shape ys, float* y, const float* px, const float* w,
                     const float* b) {
  return guarded(e, [&] {
    const int o = ys.c;
    if (amx_fits(e, s.c, o)) {
      amx_up(e, s, ys, y, px, w, b);
      return clear_beyond(s, ys, y);
    }
    const Image x(e, px, s, 1);
    const Kernels& k = narrow(e->k, o);
    const Panels panels(k, o);
    const size_t per_vector = 4 * static_cast<size_t>(s.c) * k.width;
    const size_t one = static_cast<size_t>(s.c) * k.width;
    // Four products, one per output position of the 2×2 kernel, their packed weights one after the other.
    float* packed = e->weights.get(per_vector * 2 * panels.count());
    e->team.run(4, [&](int t, int) {
      for (int p = 0; p < panels.count(); ++p) {
        const int lanes = panels.vectors(p) * panels.vw, valid = panels.valid(p);
        float* d = packed + (static_cast<size_t>(t) * panels.count() + p) * one * 2;
        for (int i = 0; i < s.c; ++i, d += lanes) {
          std::copy_n(w + (static_cast<ptrdiff_t>(t) * s.c + i) * o + panels.first(p), valid, d);
          std::fill(d + valid, d + lanes, 0.0f);
        }
      }
    });
    std::vector<float> bias(panels.padded(), 0.0f);
    std::copy(b, b + o, bias.begin());
    const Strips strips(x, e->team.threads());
    e->team.run(strips.count, [&](int part, int thread) {
      const int item = part / strips.per_item, from = part % strips.per_item * strips.rows;
      const int to = std::min(x.h, from + strips.rows);
      float* in = e->local[thread].get((to - from) * x.row());
      x.pack(in, item, from, to);
      float* out = y + static_cast<ptrdiff_t>(item) * ys.h * ys.w * ys.stride;
      for (int t = 0; t < 4; ++t)
        for (int p = 0; p < panels.count(); ++p)
          for (int r = from; r < to; ++r) {
            const ptrdiff_t first = static_cast<ptrdiff_t>(2 * r + t / 2) * ys.w + t % 2;
            Product q{};
            q.rows[0] = in + (r - from) * x.row();
            q.kh = q.kw = 1;
            q.block = x.block();
            q.channels = x.c;
            q.weights = packed + (static_cast<size_t>(t) * panels.count() + p) * one * 2;
            q.bias = bias.data() + panels.first(p);
            q.out = out + first * ys.stride + panels.first(p);
            q.ldo = 2 * ys.stride;
            q.valid = panels.valid(p);
            row_product(k, q, x.w, panels.vectors(p));
          }
    });
    clear_beyond(s, ys, y);
  });
}

extern "C" int ns_up_backward_data(ns_engine* e, ns_shape s, ns_shape ys, float* dx, const float* dy, const float* w) {
  return guarded(e, [&] {
    if (amx_fits(e, s.c, ys.c)) return amx_up_data(e, s, ys, dx, dy, w);
    const int o = ys.c, blocks = ceil_div(o, kLanes);
    const ptrdiff_t io = static_cast<ptrdiff_t>(s.c) * o, block = static_cast<ptrdiff_t>(s.w) * kLanes;
    const size_t per_vector = pack_weights(e, e->weights, Source{w, io, 1, o}, 4, o, s.c);
    const float* packed = e->weights.get(0);
    const Kernels& k = narrow(e->k, s.c);
    const Panels panels(k, s.c);
    e->team.run(s.n * s.h, [&](int part, int thread) {
      const int item = part / s.h, r = part % s.h;
      float* in = e->local[thread].get(4 * block * blocks);
      for (int t = 0; t < 4; ++t) {
        const ptrdiff_t first = (static_cast<ptrdiff_t>(item) * ys.h + 2 * r + t / 2) * ys.w + t % 2;
        pack_row(e->k, in + t * block * blocks, dy + first * ys.stride, s.w, o, 2 * ys.stride, 0, block);
      }
      for (int p = 0; p < panels.count(); ++p) {
        Product q{};
        for (int t = 0; t < 4; ++t) q.rows[t] = in + t * block * blocks;
        q.kh = 4;
        q.kw = 1;
        q.block = block;
        q.channels = o;
        q.weights = packed + per_vector * 2 * p;
        q.out = dx + (static_cast<ptrdiff_t>(item) * s.h + r) * s.w * s.c + panels.first(p);
        q.ldo = s.c;
        q.valid = panels.valid(p);
        row_product(k, q, s.w, panels.vectors(p));
      }
    });
  });
}

extern "C" int ns_up_backward_weights(ns_engine* e, ns_shape s, ns_shape ys, float* dw, float* db, const float* dy,
                                      const float* px) {
  return guarded(e, [&] {
    const int o = ys.c;
    if (amx_fits(e, s.c, o)) return amx_up_weights(e, s, ys, dw, db, dy, px);
    const Image x(e, px, s, 1);
    const Strips strips(x, e->team.threads());
    const Panels panels(narrow(e->k, o), o);
    Gradient g(e, 4, x.c, o, strips.count);
    const int block_rows = std::max(1, kBlockPixels / x.w);
    g.run(strips.count, dw, db, [&](int part, int thread, float* sums) {
      const int item = part / strips.per_item, from = part % strips.per_item * strips.rows;
      const int to = std::min(x.h, from + strips.rows);
      const size_t packed = (to - from) * x.row();
      float* in = e->local[thread].get(packed + static_cast<size_t>(block_rows) * x.w * g.padded);
      x.pack(in, item, from, to);
      for (int r = from; r < to; r += block_rows) {
        const int rows = std::min(block_rows, to - r);
        for (int t = 0; t < 4; ++t) {
          const ptrdiff_t first = (static_cast<ptrdiff_t>(item) * ys.h + 2 * r + t / 2) * ys.w + t % 2;
          const float* d = dy + first * ys.stride;
          const ptrdiff_t drow = 2 * static_cast<ptrdiff_t>(ys.w) * ys.stride, dpixel = 2 * ys.stride;
          for (int i = 0; i < rows; ++i)
            narrow(e->k, o).channel_sums(d + i * drow, x.w, o, dpixel, sums + 4 * static_cast<size_t>(x.c) * g.padded);
          const Padded q = pad(d, rows, x.w, o, g.padded, drow, dpixel, in + packed);
          for (int p = 0; p < panels.count(); ++p)
            g.outer(in + (r - from) * x.row(), x.block(), x.row(), q.at + panels.first(p), q.row, q.pixel, rows, x.w,
                    p, sums + static_cast<size_t>(t) * x.c * g.padded + panels.first(p));
        }
      }
    });
  });
}
