// 3×3 convolutions by Winograd's F(4×4, 3×3), which multiplies a quarter as often. Tiles of the input are transformed,
// a chunk at a time that stays in the second-level cache; each of the 36 positions of a tile is then one product over
// the channels, by the kernels of the direct convolutions; and the products are transformed back. The gradient of the
// weights is the same way backwards: dU = (Bᵀ d B) ⊗ (A dy Aᵀ), dw = Gᵀ dU G.
#include <vector>

#include "conv.h"

using namespace nextslice;

namespace {

constexpr ptrdiff_t kBudget = 160 * 1024;  // floats of a chunk
constexpr int kHalf = kLanes / 2;          // channels that half a vector holds

// Chunks cuts the rows of tiles of all items into parts.
struct Chunks {
  int across, down, total;  // tiles in a row, rows of tiles in an item and in all
  int rows, count;          // of a part; parts

  Chunks(const ns_shape& s, int threads, ptrdiff_t floats_per_tile, ptrdiff_t budget)
      : across(ceil_div(s.w, kTile)), down(ceil_div(s.h, kTile)), total(down * s.n) {
    const ptrdiff_t tiles = std::max<ptrdiff_t>(budget / floats_per_tile, 14);
    rows = static_cast<int>(std::clamp<ptrdiff_t>(tiles / across, 1, total));
    // As many parts for every thread, if there are enough rows.
    const int rounds = ceil_div(ceil_div(total, rows), threads);
    rows = ceil_div(total, rounds * threads);
    count = ceil_div(total, rows);
  }
  int from(int part) const { return part * rows; }
  int to(int part) const { return std::min(total, from(part) + rows); }

  // row describes a row of tiles for reading: its input with a border of one pixel, or the outputs alone.
  TileRow row(const ns_shape& s, const float* px, int number, int border, int rows_read) const {
    TileRow r{};
    r.tiles = across, r.w = s.w, r.stride = s.stride, r.channels = s.c;
    const int item = number / down, first = number % down * kTile - border;
    r.index = static_cast<uint32_t>((item * s.h + first) * s.w) * static_cast<uint32_t>(s.c);
    for (int i = 0; i < rows_read; ++i)
      if (first + i >= 0 && first + i < s.h)
        r.rows[i] = px + (static_cast<ptrdiff_t>(item) * s.h + first + i) * s.w * s.stride;
    return r;
  }
};

// spread adds a cache line to a distance, so that 36 streams do not meet in the same set of the cache.
ptrdiff_t spread(ptrdiff_t floats) { return floats + 16; }

// Input holds the transformed input of up to `rows` rows of tiles: [position][block][tile][kLanes].
struct Input {
  const Kernels& k;
  int blocks;
  ptrdiff_t block, position;
  float *at, *scratch;

  Input(const Kernels& kernels, int channels, int tiles) : k(kernels), blocks(ceil_div(channels, kLanes)) {
    block = static_cast<ptrdiff_t>(tiles) * kLanes;
    position = spread(block * blocks);
  }
  size_t size(const Chunks& c) const { return kPositions * position + 6 * (kTile * c.across + 2) * k.width; }
  void place(float* p) { at = p, scratch = p + kPositions * position; }

  void fill(const Chunks& c, const ns_shape& s, const float* px, const ns_mask& mask, int from, int to) const {
    for (int n = from; n < to; ++n)
      for (int b = 0; b < blocks; ++b) {
        TileRow r = c.row(s, px + b * kLanes, n, 1, 6);
        r.mask = mask, r.index += static_cast<uint32_t>(b * kLanes);
        r.lanes = std::min(kLanes, s.c - b * kLanes);
        narrow(k, r.lanes).winograd_input(r, at + b * block + (n - from) * c.across * kLanes, position, scratch);
      }
  }
};

// Weights are the transformed ones, [position][panel][in][vectors·vw]. Small ones are transformed by every thread for itself:
// where two cores share no cache that is far quicker than fetching from the other what is four times as large as the weights,
// and elsewhere hardly slower.
class Weights {
 public:
  const ptrdiff_t position;  // the distance of two positions

  Weights(ns_engine* engine, const Source& source, int channels, int out)
      : position(spread(static_cast<ptrdiff_t>(channels) * out)), e(engine), s(source), in(channels), panels(e->k, out),
        chunks(ceil_div(in, kChunk)) {
    if (kPositions * position * e->team.threads() <= kOwn) {
      done.assign(e->team.threads(), false);
    } else {
      float* to = e->weights.get(kPositions * position);
      e->team.run(panels.count() * chunks, [&](int part, int) { transform(part, to); });
    }
  }

  // of returns those that a thread of the current job reads.
  const float* of(int thread) {
    if (done.empty()) return e->weights.get(0);
    float* to = e->own[thread].get(kPositions * position);
    if (!done[thread])
      for (int part = 0; part < panels.count() * chunks; ++part) transform(part, to);
    done[thread] = true;
    return to;
  }

 private:
  static constexpr int kChunk = 16;               // input channels of a part
  static constexpr ptrdiff_t kOwn = 1024 * 1024;  // floats of all threads' copies
  ns_engine* e;
  const Source& s;
  const int in;
  const Panels panels;
  const int chunks;
  std::vector<char> done;  // by thread; empty if they share the weights

  void transform(int part, float* to) const {
    const int vw = panels.vw, p = part / chunks, begin = part % chunks * kChunk, lanes = panels.vectors(p) * vw;
    float gathered[9 * kLanes];
    for (int i = begin; i < std::min(in, begin + kChunk); ++i)
      for (int v = 0; v < lanes; v += vw) {
        const float* w = s.at + i * s.in_step + (panels.first(p) + v) * s.out_step;
        ptrdiff_t step = s.tap_step;
        if (s.out_step != 1) {
          for (int t = 0; t < 9; ++t)
            for (int l = 0; l < vw; ++l) gathered[t * vw + l] = w[t * s.tap_step + l * s.out_step];
          w = gathered, step = vw;
        }
        e->k.winograd_weights(w, step, to + static_cast<ptrdiff_t>(in) * panels.first(p) + i * lanes + v, position);
      }
  }
};

}  // namespace

bool nextslice::winograd_fits(const ns_engine* e, int in, int out) {
  return in % kHalf == 0 && out % e->k.width == 0;
}

void nextslice::winograd(ns_engine* e, const ns_shape& s, const float* px, const Source& w, int channels,
                         const float* bias, bool leaky, float slope, const ns_output& y, const Masks& masks) {
  const Kernels& k = e->k;
  const Parts parts(y, s.w);
  const int o = channels * parts.count;  // of the products
  Weights transformed(e, w, s.c, o);
  const Panels panels(k, o);
  const Chunks chunks(s, e->team.threads(), kPositions * (s.c + o), kBudget);
  const int most = chunks.rows * chunks.across;
  const ptrdiff_t products_step = spread(static_cast<ptrdiff_t>(most) * o);
  e->team.run(chunks.count, [&](int part, int thread) {
    const int from = chunks.from(part), to = chunks.to(part), tiles = (to - from) * chunks.across;
    Input in(k, s.c, most);
    const size_t size = (in.size(chunks) + 15) / 16 * 16;
    float* room = e->local[thread].get(size + kPositions * products_step);
    in.place(room);
    in.fill(chunks, s, px, masks.in, from, to);
    const float* weights = transformed.of(thread);
    float* products = room + size;
    for (int position = 0; position < kPositions; ++position)
      for (int p = 0; p < panels.count(); ++p) {
        Product q{};
        q.rows[0] = in.at + position * in.position;
        q.kh = q.kw = 1;
        q.block = in.block;
        q.channels = s.c;
        q.weights = weights + position * transformed.position + static_cast<ptrdiff_t>(s.c) * panels.first(p);
        q.ldo = o;
        q.valid = panels.valid(p);
        q.out = products + position * products_step + panels.first(p);
        row_product(k, q, tiles, panels.vectors(p));
      }
    for (int n = from; n < to; ++n) {
      const int item = n / chunks.down, first = n % chunks.down * kTile, row = item * s.h + first;
      TileRow r{};
      r.tiles = chunks.across, r.w = s.w, r.stride = parts.step, r.add = y.add, r.channels = o, r.mask = masks.out;
      r.index = static_cast<uint32_t>(row * s.w) * static_cast<uint32_t>(o);
      for (int q = 0; q < parts.count; ++q) {
        for (int i = 0; i < kTile && first + i < s.h; ++i) r.out[i] = parts.row(row + i, q);
        k.winograd_output(r, products + static_cast<ptrdiff_t>(n - from) * chunks.across * o + q * channels,
                          products_step, o, channels, bias, leaky, slope);
      }
    }
  });
}

void nextslice::winograd_weights(ns_engine* e, const ns_shape& s, const float* px, int o, float* dw, float* db,
                                 const float* dy, const ns_mask& mask) {
  const Kernels& k = e->k;
  const ns_shape ds{s.n, s.h, s.w, o, o};
  const ptrdiff_t sums_size = static_cast<ptrdiff_t>(kPositions) * s.c * o;
  const Chunks chunks(s, e->team.threads(), kPositions * (s.c + o), std::max(kBudget, 2 * sums_size));
  const int most = chunks.rows * chunks.across;
  const ptrdiff_t dy_step = spread(static_cast<ptrdiff_t>(most) * o);
  Gradient g(e, kPositions, s.c, o, chunks.count);
  const Panels panels(k, o);
  // Each group's sums are transformed by the thread that made them: what others read of them then is a quarter.
  auto transform = [&](float* sums) { k.winograd_taps(sums, static_cast<int64_t>(s.c) * o); };
  g.each(chunks.count, transform, [&](int part, int thread, float* sums, bool fresh) {
    const int from = chunks.from(part), to = chunks.to(part), tiles = (to - from) * chunks.across;
    Input in(k, s.c, most);
    const size_t size = (in.size(chunks) + 15) / 16 * 16;
    float* room = e->local[thread].get(size + kPositions * dy_step);
    in.place(room);
    in.fill(chunks, s, px, mask, from, to);
    float* gradients = room + size;
    for (int n = from; n < to; ++n) {
      const TileRow r = chunks.row(ds, dy, n, 0, kTile);
      k.winograd_gradient(r, o, gradients + static_cast<ptrdiff_t>(n - from) * chunks.across * o, dy_step, o);
      for (int i = 0; i < kTile && r.rows[i]; ++i)
        k.channel_sums(r.rows[i], s.w, o, o, sums + sums_size);
    }
    for (int position = 0; position < kPositions; ++position)
      for (int p = 0; p < panels.count(); ++p)
        g.outer(in.at + position * in.position, in.block, 0, gradients + position * dy_step + panels.first(p), 0, o, 1,
                tiles, p, sums + static_cast<ptrdiff_t>(position) * s.c * o + panels.first(p), fresh);
  });
  g.add_up(9, dw, db);
}
