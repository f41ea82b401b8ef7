// Kernels: the inner loops, compiled once per instruction set and chosen at run time.
#pragma once
#include <cstddef>
#include <cstdint>

#include "shim.h"

namespace nextslice {

// Channels of a packed activation come in blocks of kLanes, so that a pixel's neighbours lie at constant offsets.
constexpr int kLanes = 16;

constexpr int kLine = 16;           // floats of a cache line
constexpr size_t kPageBytes = 4096;  // of memory

// numbers(first) of kernels.inc.h reads these.
constexpr uint32_t kCount[kLanes] = {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15};

// A product of packed rows with packed weights, for `count` tiles side by side. Rows hold pixels of kLanes floats; lanes of
// a block beyond the last channel are not read.
struct Product {
  const float* rows[4];      // of each kernel row: packed row of channel block 0, at the first tile's first pixel
  int kh, kw;                // kernel rows, at most 4, and columns
  ptrdiff_t block;           // floats from a channel block to the next
  int channels;              // input channels
  const float* weights;      // packed [block kh kw lane vector…]
  const float* bias;         // one per output lane, padded to whole vectors; nullptr for zero
  bool accumulate;           // add to what out holds, in whole vectors, instead of bias
  bool leaky;
  float slope;
  float* out;       // first pixel of the first tile
  ptrdiff_t ldo;    // floats from one output pixel to the next
  int valid;        // output channels to store, at most vectors · width
  int count;        // tiles
};

// A gradient of weights: out[lane][o] += Σ_pixels x[pixel][lane] · dy[pixel][o] for one kernel tap.
struct Outer {
  const float* x;    // packed row of the channel block, at the tap's first pixel and first lane
  ptrdiff_t xrow;    // floats from one row to the next
  const float* dy;   // whole vectors readable
  ptrdiff_t dyrow, dypixel;
  int rows, pixels;
  float* out;        // [lanes][ldo]
  ptrdiff_t ldo;
  bool fresh;        // out holds nothing yet
};

constexpr int kTaps = 9;  // of a 3×3 kernel

// A row of a 3×3 convolution from a few channels, each of which has a plane to itself, to a vector of outputs or fewer.
struct PlanarRow {
  const float* rows[3];  // of each kernel row: channel 0 of the input row, at the border's pixel
  ptrdiff_t plane;       // floats from a channel to the next
  int channels;
  const float* weights;  // [kh kw channel vector], with pairs each output's twice
  const float* bias;     // a vector, likewise
  bool leaky;
  float slope;
  float* out;
  ptrdiff_t ldo;  // floats from one output pixel to the next
  int valid;      // outputs to store
  int w;          // pixels
  bool pairs;     // a vector holds the outputs of two pixels: at most half as many as it has lanes
};

// A 1×1 convolution to fewer outputs than a vector has lanes, of whole vectors of channels.
struct Classes {
  const float* x;
  ptrdiff_t stride;  // floats from a pixel to the next
  int64_t pixels;
  int channels;
  const float* weights;  // [channel output]
  const float* bias;
  bool leaky;
  float slope;
  float* out;
  ptrdiff_t ldo;
};

// Winograd's F(4×4, 3×3) makes kTile × kTile outputs from kInputs × kInputs inputs by one product per position of an input.
constexpr int kTile = 4, kInputs = kTile + 2, kPositions = kInputs * kInputs;

// A row of tiles of one item: its rows of outputs and the rows of inputs that they depend on. Rows beyond the image are
// nullptr.
struct TileRow {
  int tiles, w;          // tiles in the row, pixels in the image's rows
  ptrdiff_t stride;      // floats from one pixel to the next
  int lanes;             // channels to read as input, a multiple of the width, at most kLanes
  const float* rows[kInputs];  // read, from pixel 0 and the first channel on
  float* out[kTile];           // written
  bool add;              // to what out holds
  ns_mask mask;          // of what is read as input, or written as output
  int channels;          // of the dense tensor that the mask belongs to
  uint32_t index;        // there, of the first row's pixel 0 and first channel
};

// PooledRow has the gradients of the windows of a 2×2 max pooling that cover a row of pixels, dense.
struct PooledRow {
  const float* dy;
  const uint8_t* argmax;
  int at;       // argmax of the row's even columns, 0 or 2
  int windows;  // 0 for a row that the pooling dropped
};

// Kernels of one instruction set. Tables are indexed by the tile's height, 1 … max.
struct Kernels {
  const char* name;
  const Kernels* narrower;  // with vectors of half the width, nullptr if there are none
  int width;           // floats per vector
  int max2, max1;      // largest tiles of a Product with two vectors and with one
  int outer2, outer1;  // largest numbers of lanes of an Outer with two vectors and with one
  void (*const* product2)(const Product&);
  void (*const* product1)(const Product&);
  void (*const* outer_2)(const Outer&);
  void (*const* outer_1)(const Outer&);

  // dst[p][lane] = src[p·step + lane] for so many lanes of each pixel, at most kLanes
  void (*pack)(float* dst, const float* src, int pixels, ptrdiff_t step, int lanes);
  // dst[i] += src[i]
  void (*add)(float* dst, const float* src, int64_t n);
  // sum[c] += Σ x over pixels
  void (*channel_sums)(const float* x, int64_t pixels, int c, ptrdiff_t stride, float* sum);
  // sq[c] += Σ (x-mean[c])²
  void (*channel_squares)(const float* x, int64_t pixels, int c, ptrdiff_t stride, const float* mean, float* sq);
  // y = leaky(scale·x + shift)
  void (*affine)(float* y, const float* x, int64_t pixels, int c, ptrdiff_t ystride, ptrdiff_t xstride,
                 const float* scale, const float* shift, float slope);
  // With g = dy·leaky'(scale·x + shift): sum[c] += Σ g, dot[c] += Σ g·(x - mean)
  void (*norm_sums)(const float* dy, const float* x, int64_t pixels, int c, ptrdiff_t dystride, ptrdiff_t xstride,
                    const float* scale, const float* shift, const float* mean, float slope, float* sum, float* dot);
  // dx = scale·(g - a - (x - mean)·b)
  void (*norm_dx)(float* dx, const float* dy, const float* x, int64_t pixels, int c, ptrdiff_t dxstride,
                  ptrdiff_t dystride, ptrdiff_t xstride, const float* scale, const float* shift, const float* mean,
                  const float* a, const float* b, float slope);
  // The same gradients where y is only seen by a 2×2 max pooling, for columns first … first + count of a row; x and dx are at its first pixel
  void (*pooled_sums)(const PooledRow& g, const float* x, int first, int count, int c, ptrdiff_t xstride, const float* scale,
                      const float* shift, const float* mean, float slope, float* sum, float* dot);
  void (*pooled_dx)(float* dx, const PooledRow& g, const float* x, int first, int count, int c, ptrdiff_t dxstride,
                    ptrdiff_t xstride, const float* scale, const float* shift, const float* mean, const float* a,
                    const float* b, float slope);
  // One output row of a 2×2 max pooling of leaky(scale·x + shift)
  void (*affine_maxpool)(float* y, uint8_t* argmax, const float* row0, const float* row1, int w, int c, ptrdiff_t stride,
                         const float* scale, const float* shift, float slope);
  // One output row of a 2×2 max pooling with dropout; index is the number of the row's first output element.
  void (*maxpool)(float* y, uint8_t* argmax, const float* row0, const float* row1, int w, int c, ptrdiff_t stride,
                  const ns_mask& mask, uint32_t index);
  void (*maxpool_backward)(float* dx0, float* dx1, const float* dy, const uint8_t* argmax, const float* skip0,
                           const float* skip1, int w, int c, ptrdiff_t dxstride, ptrdiff_t skipstride,
                           const ns_mask& mask, uint32_t index);
  void (*dropout)(float* x, int n, const ns_mask& mask, uint32_t index);
  // p = softmax(x) of pixels with k classes; p may be x
  void (*softmax)(float* p, const float* x, int64_t pixels, int k, ptrdiff_t pstride, ptrdiff_t xstride);
  // h = -Σ p ln p of pixels with k classes
  void (*entropy)(float* h, const float* p, int64_t pixels, int k, ptrdiff_t pstride);
  // x = ln x, for normal x > 0
  void (*logarithms)(float* x, int n);
  void (*adam)(float* w, float* m, float* v, const float* g, int64_t n, const ns_moments& p);

  // out[position][tile][kLanes] = Bᵀ d B of the 6×6 inputs of each tile, r.lanes channels; scratch holds
  // 6·(4·tiles + 2)·width floats.
  void (*winograd_input)(const TileRow& r, float* out, ptrdiff_t position, float* scratch);
  // r.out = leaky(Aᵀ m A + bias), with r.add leaky(Aᵀ m A + bias + r.out), of in[position][tile][channels], whole vectors of channels
  void (*winograd_output)(const TileRow& r, const float* in, ptrdiff_t position, ptrdiff_t tile_step, int channels,
                          const float* bias, bool leaky, float slope);
  // out[position][tile][channels] = A dy Aᵀ of the 4×4 gradients of each tile, of which r.rows has the first four rows
  void (*winograd_gradient)(const TileRow& r, int channels, float* out, ptrdiff_t position, ptrdiff_t tile_step);
  // out[position] = G g Gᵀ of one vector of weights, nine taps tap_step apart
  void (*winograd_weights)(const float* taps, ptrdiff_t tap_step, float* out, ptrdiff_t position);
  // u[tap][n] = Gᵀ u G of u[position][n], in place; n is a multiple of the width
  void (*winograd_taps)(float* u, int64_t n);

  void (*planar)(const PlanarRow&);
  void (*const* classes)(const Classes&);  // by the number of outputs, 1 … width / 2

  // The processor's ceilings: `rounds` times kChains independent multiply-adds of a vector; a = b + s·c.
  float (*multiply_adds)(int64_t rounds);
  void (*triad)(float* a, const float* b, const float* c, int64_t n, float s);
};

// Two multiply-adds a cycle, each of which takes at most five, keep ten chains busy.
constexpr int kChains = 12;

// narrow returns the kernels with half the vector width where that holds all channels, else k itself.
inline const Kernels& narrow(const Kernels& k, int channels) {
  return k.narrower && 2 * channels <= k.width ? *k.narrower : k;
}

// kernels returns the table for an instruction set (NS_BEST …), nullptr if this processor or build lacks it.
const Kernels* kernels(int isa);

}  // namespace nextslice
