// 3×3 convolutions by Winograd's F(4×4, 3×3), which multiplies a quarter as often. Tiles of the input are transformed,
// a chunk at a time that stays in the second-level cache; each of the 36 positions of a tile is then one product over
// the channels, by the kernels of the direct convolutions; and the products are transformed back. The gradient of the
// weights goes the same way backwards: dU = (Bᵀ d B) ⊗ (A dy Aᵀ), dw = Gᵀ dU G.
#include "winograd.h"

#include <vector>

using namespace nextslice;

namespace {

// Floats of a chunk's transformed inputs and products: 640 KB, of a second-level cache of 512 KB to 1 MB. A half or a third
// measured the same.
constexpr ptrdiff_t kBudget = 160 * 1024;
constexpr int kHalf = kLanes / 2;  // channels that half a vector of AVX-512 holds

// Weights are transformed weights, [position][panel][in][vectors·vw]. Small ones are transformed by each thread for itself: where
// two cores share no cache, that is far quicker than reading from the other core what is four times as large as the weights,
// and elsewhere hardly slower.
class Weights {
 public:
  const ptrdiff_t position;  // the distance of two positions

  Weights(ns_engine* engine, const Source& source, int channels, int out)
      : position(spread(static_cast<ptrdiff_t>(channels) * out)), e(engine), s(source), in(channels), panels(e->k, out),
        chunks(ceil_div(in, kChunk)) {
    if (kPositions * position * e->team.threads() <= kCopies) {
      done.assign(e->team.threads(), false);
    } else {
      float* to = e->weights.get(kPositions * position);
      e->team.run(panels.count() * chunks, [&](int part, int) { transform(part, to); });
    }
  }

  // of returns the weights for a thread of the current job.
  const float* of(int thread) {
    if (done.empty()) return e->weights.get(0);
    float* to = e->copies[thread].get(kPositions * position);
    if (!done[thread])
      for (int part = 0; part < panels.count() * chunks; ++part) transform(part, to);
    done[thread] = true;
    return to;
  }

 private:
  static constexpr int kChunk = kLanes;              // input channels of a part: a block, as transposed weights are turned
  static constexpr ptrdiff_t kCopies = 1024 * 1024;  // floats of all threads' copies at most, 4 MB
  ns_engine* e;
  const Source& s;
  const int in;
  const Panels panels;
  const int chunks;
  std::vector<char> done;  // by thread; empty if they share the weights

  void transform(int part, float* to) const {
    const int p = part / chunks, begin = part % chunks * kChunk;
    to += static_cast<ptrdiff_t>(in) * panels.first(p) + begin * panels.vectors(p) * panels.vw;
    transform_weights(e->k, s, panels, p, begin, std::min(in, begin + kChunk), to, position);
  }
};

}  // namespace

bool nextslice::winograd_fits(const ns_engine* e, int in, int out) {
  return in % kHalf == 0 && out % e->k.width == 0;
}

void nextslice::transform_weights(const Kernels& k, const Source& s, const Panels& panels, int panel, int begin, int end,
                                  float* to, ptrdiff_t position) {
  const int vw = panels.vw, lanes = panels.vectors(panel) * vw;
  if (s.out_step == 1) {
    for (int i = begin; i < end; ++i, to += lanes)
      for (int v = 0; v < lanes; v += vw)
        k.winograd_weights(s.at + i * s.in_step + panels.first(panel) + v, s.tap_step, to + v, position);
    return;
  }
  // In transposed weights the inputs lie next to each other. They are turned a block and a tap at a time: taps are so far apart
  // that they compete for the same sets of the cache.
  float turned[kTaps][kLanes][kLanes];  // [tap][in][out]
  for (int first = begin; first < end; first += kLanes)
    for (int v = 0; v < lanes; v += vw) {
      const int n = std::min(kLanes, end - first);
      for (int t = 0; t < kTaps; ++t)
        for (int l = 0; l < vw; ++l) {
          const float* w = s.at + t * s.tap_step + (panels.first(panel) + v + l) * s.out_step + first * s.in_step;
          for (int i = 0; i < n; ++i) turned[t][i][l] = w[i * s.in_step];
        }
      for (int i = 0; i < n; ++i)
        k.winograd_weights(turned[0][i], kLanes * kLanes, to + (first - begin + i) * lanes + v, position);
    }
}

void nextslice::transform_outputs(const Kernels& k, const Convolution& c, const Grid& grid, int from, int to, int first,
                                  int last, const float* products, ptrdiff_t position) {
  const ns_shape& s = c.s;
  const Subpixels out(c.y, s.w);
  const int o = c.channels * out.count, lanes = last - first;
  for (int n = from; n < to; ++n, products += static_cast<ptrdiff_t>(grid.across) * lanes) {
    const int item = n / grid.down, line = n % grid.down * kTile, row = item * s.h + line;
    TileRow r{};
    r.tiles = grid.across, r.w = s.w, r.stride = out.step, r.add = c.y.add, r.channels = o, r.mask = c.out;
    for (int q = first / c.channels; q * c.channels < last; ++q) {
      const int begin = std::max(first, q * c.channels), end = std::min(last, (q + 1) * c.channels);
      const int channel = begin - q * c.channels;
      r.index = static_cast<uint32_t>(row * s.w) * static_cast<uint32_t>(o) + static_cast<uint32_t>(begin) -
                static_cast<uint32_t>(item) * c.out.period;
      for (int i = 0; i < kTile && line + i < s.h; ++i) r.out[i] = out.row(row + i, q) + channel;
      k.winograd_output(r, products + begin - first, position, lanes, end - begin, c.bias ? c.bias + channel : nullptr,
                        c.leaky, c.slope);
    }
  }
}

void nextslice::winograd(ns_engine* e, const Convolution& c) {
  const Kernels& k = e->k;
  const ns_shape& s = c.s;
  const int o = c.channels * Subpixels(c.y, s.w).count;  // of the products
  const Grid grid(s, e->team.threads(), kPositions * (s.c + o), kBudget);
  if (few_tiles(grid, o)) return winograd_few(e, c);
  Weights transformed(e, c.w, s.c, o);
  const Panels panels(k, o);
  const ptrdiff_t position = spread(static_cast<ptrdiff_t>(grid.rows) * grid.across * o);  // of the products
  e->team.run(grid.count, [&](int part, int thread) {
    const int from = grid.from(part), to = grid.to(part), tiles = (to - from) * grid.across;
    Input in(k, grid, s.c, grid.rows);
    float* room = e->local[thread].get(in.size() + kPositions * position);
    float* products = room + in.size();
    in.place(room);
    in.fill(s, c.px, c.in, from, to);
    const float* weights = transformed.of(thread);
    for (int i = 0; i < kPositions; ++i)
      for (int p = 0; p < panels.count(); ++p)
        in.multiply(i, tiles, s.c, weights + i * transformed.position + static_cast<ptrdiff_t>(s.c) * panels.first(p),
                    panels.vectors(p), false, products + i * position + panels.first(p), o);
    transform_outputs(k, c, grid, from, to, 0, o, products, position);
  });
}

void nextslice::winograd_weights(ns_engine* e, const ns_shape& s, const float* px, int o, float* dw, float* db,
                                 const float* dy, const ns_mask& mask) {
  const Kernels& k = e->k;
  const ns_shape ds{s.n, s.h, s.w, o, o};
  const ptrdiff_t sums_size = static_cast<ptrdiff_t>(kPositions) * s.c * o;
  const Grid grid(s, e->team.threads(), kPositions * (s.c + o), std::max(kBudget, 2 * sums_size));  // worth the passes over the sums
  if (few_tiles(grid, std::max(s.c, o))) return winograd_weights_few(e, s, px, o, dw, db, dy, mask);
  const ptrdiff_t position = spread(static_cast<ptrdiff_t>(grid.rows) * grid.across * o);  // of the gradients
  Gradient g(e, kPositions, s.c, o, grid.count);
  const Panels panels(k, o);
  // Each group's sums are transformed by the thread that made them, which leaves a quarter for other threads to read.
  auto transform = [&](float* sums) { k.winograd_taps(sums, static_cast<int64_t>(s.c) * o); };
  g.each(grid.count, transform, [&](int part, int thread, float* sums, bool fresh) {
    const int from = grid.from(part), to = grid.to(part), tiles = (to - from) * grid.across;
    Input in(k, grid, s.c, grid.rows);
    float* room = e->local[thread].get(in.size() + kPositions * position);
    float* gradients = room + in.size();
    in.place(room);
    in.fill(s, px, mask, from, to);
    for (int n = from; n < to; ++n)
      k.winograd_gradient(grid.row(ds, dy, n, 0, kTile), o, gradients + static_cast<ptrdiff_t>(n - from) * grid.across * o, position, o);
    k.channel_sums(gradients + kSumOfTile * position, tiles, o, o, sums + sums_size);
    for (int i = 0; i < kPositions; ++i)
      for (int p = 0; p < panels.count(); ++p)
        g.outer(in.at + i * in.position, in.block, 0, gradients + i * position + panels.first(p), 0, o, 1, tiles, p,
                sums + static_cast<ptrdiff_t>(i) * s.c * o + panels.first(p), fresh);
  });
  g.add_up(kTaps, dw, db);
}
