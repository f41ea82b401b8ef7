// Tiles and their transforms, shared by the two ways to divide Winograd's work among the threads.
#pragma once
#include "conv.h"

namespace nextslice {

// spread adds a cache line to the distance of two positions, so that they do not compete for the same set of the cache.
inline ptrdiff_t spread(ptrdiff_t floats) { return floats + kLine; }

// Of a tile's gradients A dy Aᵀ, position (1, 1) is their sum: that row of A is all ones.
constexpr int kSumOfTile = kInputs + 1;

// Tiles of a part at least, whatever the budget: as many as the largest register tile of two vectors holds with AVX-512.
constexpr ptrdiff_t kLeastTiles = 14;

// Grid is the tiles of all items, in rows; consecutive rows are the parts of a job.
struct Grid {
  int across, down, total;  // tiles in a row, rows of tiles in an item and in all
  int rows, count;          // of a part; parts

  // Parts as large as the budget of floats allows, at floats_per_tile, and as many for each thread as for any other.
  Grid(const ns_shape& s, int threads, ptrdiff_t floats_per_tile, ptrdiff_t budget)
      : across(ceil_div(s.w, kTile)), down(ceil_div(s.h, kTile)), total(down * s.n) {
    const ptrdiff_t tiles = std::max(budget / floats_per_tile, kLeastTiles);
    rows = static_cast<int>(std::clamp<ptrdiff_t>(tiles / across, 1, total));
    const int rounds = ceil_div(ceil_div(total, rows), threads);
    rows = ceil_div(total, rounds * threads);
    count = ceil_div(total, rows);
  }
  // At most so many parts, of any size.
  Grid(const ns_shape& s, int parts) : Grid(s, parts, 1, PTRDIFF_MAX) {}

  int from(int part) const { return part * rows; }
  int to(int part) const { return std::min(total, from(part) + rows); }
  int tiles() const { return across * total; }

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

// Input holds some channels of the transformed input of some rows of tiles: [position][block][tile][kLanes].
struct Input {
  const Kernels& k;
  const Grid& grid;
  int blocks;
  ptrdiff_t block, position;
  float *at, *scratch;

  Input(const Kernels& kernels, const Grid& g, int channels, int rows) : k(kernels), grid(g), blocks(ceil_div(channels, kLanes)) {
    block = static_cast<ptrdiff_t>(rows) * g.across * kLanes;
    position = spread(block * blocks);
  }
  // size is that of `at` and `scratch` together, in whole cache lines.
  size_t size() const {
    return (kPositions * position + kInputs * (kTile * grid.across + 2) * k.width + kLine - 1) / kLine * kLine;
  }
  void place(float* p) { at = p, scratch = p + kPositions * position; }

  // fill transforms rows [from, to) of tiles, of the channels from `first` on.
  void fill(const ns_shape& s, const float* px, const ns_mask& mask, int from, int to, int first = 0) const {
    for (int n = from; n < to; ++n)
      for (int b = 0; b < blocks; ++b) {
        const int channel = first + b * kLanes;
        if (channel >= s.c) break;
        TileRow r = grid.row(s, px + channel, n, 1, kInputs);
        r.mask = mask, r.index += static_cast<uint32_t>(channel) - static_cast<uint32_t>(n / grid.down) * mask.period;
        r.lanes = std::min(kLanes, s.c - channel);
        narrow(k, r.lanes).winograd_input(r, at + b * block + (n - from) * grid.across * kLanes, position, scratch);
      }
  }

  // multiply computes the products of tiles × channels with a panel's weights [channel][vectors·vw] at one position.
  void multiply(int at_position, int tiles, int channels, const float* weights, int vectors, bool accumulate, float* out, int ldo) const {
    Product q{};
    q.rows[0] = at + at_position * position;
    q.kh = q.kw = 1;
    q.block = block;
    q.channels = channels;
    q.weights = weights;
    q.accumulate = accumulate;
    q.out = out;
    q.ldo = ldo;
    q.valid = vectors * k.width;
    row_product(k, q, tiles, vectors);
  }
};

// transform_weights transforms those from channels [begin, end) of the input to a panel of outputs: to[position][in][vectors·vw].
void transform_weights(const Kernels& k, const Source& s, const Panels& panels, int panel, int begin, int end, float* to,
                       ptrdiff_t position);

// transform_outputs writes outputs [first, last) of rows [from, to) of tiles, of products [position][tile][last - first].
void transform_outputs(const Kernels& k, const Convolution& c, const Grid& grid, int from, int to, int first, int last,
                       const float* products, ptrdiff_t position);

// few_tiles reports whether there are so few tiles that the transforms of the weights are most of the work. Then these are divided
// instead: each part has some of the outputs of all tiles, or for the gradient of the weights some of the inputs or outputs.
bool few_tiles(const Grid& grid, int channels);
void winograd_few(ns_engine* e, const Convolution& c);
void winograd_weights_few(ns_engine* e, const ns_shape& s, const float* px, int o, float* dw, float* db, const float* dy,
                          const ns_mask& mask);

}  // namespace nextslice
