// Winograd's convolutions deep in the network, where there are few tiles and many channels and the transforms of the weights
// are most of the work. Each part of a job has some of the outputs of all tiles, or for the gradient of the weights some of the
// inputs: every weight is transformed once, right before it is multiplied, and no thread's sums are added to another's.
#include "winograd.h"

using namespace nextslice;

namespace {

constexpr int kDepth = 64;      // input channels at a time: a panel's transformed weights, 288 KB, stay in the second-level cache
constexpr int kFewTiles = 128;  // more of them would not stay there with all their positions

// share returns where part i of n begins in so many panels or blocks.
int share(int count, int i, int n) { return static_cast<int>(static_cast<int64_t>(count) * i / n); }

}  // namespace

bool nextslice::few_tiles(const Grid& grid, int channels) {
  return grid.tiles() <= kFewTiles && 2 * grid.tiles() < 3 * channels;  // below 1.5 tiles a channel
}

void nextslice::winograd_few(ns_engine* e, const Convolution& c) {
  const Kernels& k = e->k;
  const ns_shape& s = c.s;
  const Panels panels(k, c.channels * Subpixels(c.y, s.w).count);
  const int threads = e->team.threads(), groups = std::min(threads, panels.count()), depth = std::min(kDepth, s.c);
  const Grid grid(s, ceil_div(threads, groups));
  e->team.run(groups * grid.count, [&](int part, int thread) {
    const int from = grid.from(part % grid.count), to = grid.to(part % grid.count), tiles = (to - from) * grid.across;
    const int begin = share(panels.count(), part / grid.count, groups);
    const int end = share(panels.count(), part / grid.count + 1, groups);
    const int first = panels.first(begin), last = std::min(panels.o, panels.first(end)), lanes = last - first;
    Input in(k, grid, depth, to - from);
    const ptrdiff_t position = spread(static_cast<ptrdiff_t>(tiles) * lanes);               // of the products
    const ptrdiff_t weights_position = spread(static_cast<ptrdiff_t>(depth) * 2 * panels.vw);  // of the weights
    float* room = e->local[thread].get(in.size() + kPositions * (position + weights_position));
    float *products = room + in.size(), *weights = products + kPositions * position;
    in.place(room);
    for (int channel = 0; channel < s.c; channel += depth) {
      const int count = std::min(depth, s.c - channel);
      in.fill(s, c.px, c.in, from, to, channel);
      for (int p = begin; p < end; ++p) {
        transform_weights(k, c.w, panels, p, channel, channel + count, weights, weights_position);
        for (int i = 0; i < kPositions; ++i)
          in.multiply(i, tiles, count, weights + i * weights_position, panels.vectors(p), channel > 0,
                      products + i * position + panels.first(p) - first, lanes);
      }
    }
    transform_outputs(k, c, grid, from, to, first, last, products, position);
  });
}

void nextslice::winograd_weights_few(ns_engine* e, const ns_shape& s, const float* px, int o, float* dw, float* db,
                                     const float* dy, const ns_mask& mask) {
  const Kernels& k = e->k;
  const ns_shape ds{s.n, s.h, s.w, o, o};
  const Panels panels(k, o);
  const Grid grid(s, 1);
  const int tiles = grid.tiles(), blocks = ceil_div(s.c, kLanes), threads = e->team.threads();
  // The inputs or the outputs are divided, whichever are more, and then the others as well if there are threads left.
  const int across = s.c < o ? 1 : std::min(threads, blocks), down = std::min(ceil_div(threads, across), panels.count());
  e->team.run(across * down, [&](int part, int thread) {
    const int block = share(blocks, part / down, across), last_block = share(blocks, part / down + 1, across);
    const int begin = share(panels.count(), part % down, down), end = share(panels.count(), part % down + 1, down);
    const int first = panels.first(begin), lanes = std::min(o, panels.first(end)) - first;
    Input in(k, grid, kLanes, grid.total);
    const ptrdiff_t position = spread(static_cast<ptrdiff_t>(tiles) * lanes);  // of the gradients
    float* room = e->local[thread].get(in.size() + kPositions * (position + kLanes * 2 * panels.vw));
    float *gradients = room + in.size(), *sums = gradients + kPositions * position;
    in.place(room);
    for (int n = 0; n < grid.total; ++n)
      k.winograd_gradient(grid.row(ds, dy + first, n, 0, kTile), lanes, gradients + static_cast<ptrdiff_t>(n) * grid.across * lanes, position, lanes);
    if (block == 0) {
      std::memset(db + first, 0, lanes * sizeof(float));
      k.channel_sums(gradients + kSumOfTile * position, tiles, lanes, lanes, db + first);
    }
    for (int b = block; b < last_block; ++b) {
      const int channel = b * kLanes, count = std::min(kLanes, s.c - channel);
      in.fill(s, px, mask, 0, grid.total, channel);
      for (int p = begin; p < end; ++p) {
        const int width = panels.vectors(p) * panels.vw;
        for (int i = 0; i < kPositions; ++i)
          outer_products(k, panels.vectors(p), count, in.at + i * in.position, 0,
                         gradients + i * position + panels.first(p) - first, 0, lanes, 1, tiles, sums + i * count * width,
                         width, true);
        k.winograd_taps(sums, static_cast<int64_t>(count) * width);
        for (int row = 0; row < kTaps * count; ++row)  // (tap, input)
          std::memcpy(dw + (static_cast<ptrdiff_t>(row / count) * s.c + channel + row % count) * o + panels.first(p),
                      sums + row * width, width * sizeof(float));
      }
    }
  });
}
