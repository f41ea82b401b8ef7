// The matrix unit multiplies tiles: 16 rows of 32 bfloat16 numbers by 32 rows of 16, into 16×16 sums in float32. A strip of rows is
// rounded with its zero border into one plane, [row][1 + w pixels][channels], in which the three neighbours of a pixel in a row lie one
// after the other: a tile is then 16 pixels of it, `channels` numbers apart, whatever the number of channels, and the border between
// two rows is computed with the rest and left out. For the gradient of the weights the pixels are what is summed over: the inputs are
// turned to [channel][pixel], and the gradients lie in pairs of pixels.
#include "amx.h"

#if defined(__x86_64__) && defined(__linux__) && defined(__GNUC__) && !defined(__clang__) && __GNUC__ >= 11
#include <cpuid.h>
#include <immintrin.h>
#pragma GCC diagnostic ignored "-Wuninitialized"        // of the intrinsics' own undefined vectors: GCC bug 105593
#pragma GCC diagnostic ignored "-Wmaybe-uninitialized"
#include <sys/syscall.h>
#include <unistd.h>

// Functions alone are compiled for the unit, none of the library's: those may be shared with code for every processor.
#define AMX __attribute__((target("amx-tile,amx-bf16,avx512f,avx512bw,avx512vl,avx512dq,avx512bf16,avx2,fma")))
#define AMX_INLINE AMX inline __attribute__((always_inline))

using namespace nextslice;

namespace {

constexpr int kSide = 16;           // rows of a tile, and columns of its sums
constexpr int kDepth = 32;          // products that a tile sums up
constexpr int kTileNumbers = kSide * kDepth;
constexpr int kPatch = 2 * kSide;   // pixels, and outputs, of the four tiles of sums that are computed together
constexpr ptrdiff_t kStripBytes = 384 * 1024;  // of a strip's planes: they stay in the second-level cache

int round_up(int n, int to) { return ceil_div(n, to) * to; }

struct Palette {
  uint8_t palette = 1, start = 0, reserved[14] = {};
  uint16_t row_bytes[16] = {64, 64, 64, 64, 64, 64, 64, 64};
  uint8_t rows[16] = {16, 16, 16, 16, 16, 16, 16, 16};
};

// Unit is the matrix unit while a thread uses it.
struct Unit {
  AMX Unit() {
    static const Palette palette;
    _tile_loadconfig(&palette);
  }
  AMX ~Unit() { _tile_release(); }
};

AMX_INLINE __mmask16 first_lanes(int n) { return n >= 16 ? 0xffff : static_cast<__mmask16>((1u << n) - 1); }

// round writes n numbers in bfloat16.
AMX void round(uint16_t* dst, const float* src, int n) {
  for (int i = 0; i < n; i += 16) {
    const __mmask16 m = first_lanes(n - i);
    const __m256bh v = _mm512_cvtneps_pbh(_mm512_maskz_loadu_ps(m, src + i));
    _mm256_mask_storeu_epi16(dst + i, m, reinterpret_cast<const __m256i&>(v));
  }
}

// pairs writes two rows of n ≤ 16 numbers, a and b, as [number][2]; where b is null, with zeros. The rest of the sixteen is zero.
AMX void pairs(uint16_t* dst, const float* a, const float* b, int n) {
  const __mmask16 m = first_lanes(n);
  const __m256bh low = _mm512_cvtneps_pbh(_mm512_maskz_loadu_ps(m, a));
  const __m256bh high = b ? _mm512_cvtneps_pbh(_mm512_maskz_loadu_ps(m, b)) : _mm512_cvtneps_pbh(_mm512_setzero_ps());
  const __m512i l = _mm512_cvtepu16_epi32(reinterpret_cast<const __m256i&>(low)), h = _mm512_cvtepu16_epi32(reinterpret_cast<const __m256i&>(high));
  _mm512_storeu_si512(dst, _mm512_or_si512(l, _mm512_slli_epi32(h, 16)));
}

// turn writes [channel][pixel] of `pixels` ≤ 16 pixels, `step` floats apart, of 16 channels or fewer; the others are zero.
AMX void turn(uint16_t* dst, ptrdiff_t channel, const float* src, ptrdiff_t step, int pixels, int channels) {
  __m512 v[16], t[16];
  const __mmask16 m = first_lanes(channels), stored = first_lanes(pixels);
  for (int i = 0; i < 16; ++i) v[i] = i < pixels ? _mm512_maskz_loadu_ps(m, src + i * step) : _mm512_setzero_ps();
  for (int i = 0; i < 16; i += 2) t[i] = _mm512_unpacklo_ps(v[i], v[i + 1]), t[i + 1] = _mm512_unpackhi_ps(v[i], v[i + 1]);
  for (int i = 0; i < 16; i += 4)
    for (int j = 0; j < 2; ++j) {
      const __m512d a = _mm512_castps_pd(t[i + j]), b = _mm512_castps_pd(t[i + 2 + j]);
      v[i + 2 * j] = _mm512_castpd_ps(_mm512_unpacklo_pd(a, b)), v[i + 2 * j + 1] = _mm512_castpd_ps(_mm512_unpackhi_pd(a, b));
    }
  // v[4g + c] holds, in its quarter q, channel 4q + c of pixels 4g … 4g + 3.
  for (int c = 0; c < 4; ++c) {
    const __m512 a = _mm512_shuffle_f32x4(v[c], v[4 + c], 0x88), b = _mm512_shuffle_f32x4(v[c], v[4 + c], 0xdd);
    const __m512 d = _mm512_shuffle_f32x4(v[8 + c], v[12 + c], 0x88), f = _mm512_shuffle_f32x4(v[8 + c], v[12 + c], 0xdd);
    t[c] = _mm512_shuffle_f32x4(a, d, 0x88), t[8 + c] = _mm512_shuffle_f32x4(a, d, 0xdd);
    t[4 + c] = _mm512_shuffle_f32x4(b, f, 0x88), t[12 + c] = _mm512_shuffle_f32x4(b, f, 0xdd);
  }
  for (int c = 0; c < 16; ++c) {
    const __m256bh r = _mm512_cvtneps_pbh(t[c]);
    _mm256_mask_storeu_epi16(dst + c * channel, stored, reinterpret_cast<const __m256i&>(r));
  }
}

// multiply writes the sums of `rows` × `blocks` tiles: out[pixel][kPatch], of 16 or 32 pixels from a on, `pixel` bytes apart, rows `row`
// numbers apart, and of the outputs of one or two packed panels of weights.
template <bool kTall, bool kWide>
AMX void multiply(const uint16_t* a, ptrdiff_t pixel, ptrdiff_t row, int rows, int blocks, const uint16_t* b0, const uint16_t* b1, float* out) {
  _tile_zero(0);
  _tile_zero(1);
  _tile_zero(2);
  _tile_zero(3);
  const ptrdiff_t half = pixel / static_cast<ptrdiff_t>(sizeof *a) * kSide;
  for (int r = 0; r < rows; ++r, a += row)
    for (int k = 0; k < blocks; ++k, b0 += kTileNumbers, b1 += kTileNumbers) {
      _tile_loadd(4, a + k * kDepth, pixel);
      _tile_loadd(6, b0, 64);
      _tile_dpbf16ps(0, 4, 6);
      if (kTall) {
        _tile_loadd(5, a + k * kDepth + half, pixel);
        _tile_dpbf16ps(2, 5, 6);
      }
      if (kWide) {
        _tile_loadd(7, b1, 64);
        _tile_dpbf16ps(1, 4, 7);
        if (kTall) _tile_dpbf16ps(3, 5, 7);
      }
    }
  constexpr ptrdiff_t kRow = kPatch * sizeof(float);
  _tile_stored(0, out, kRow);
  if (kTall) _tile_stored(2, out + kSide * kPatch, kRow);
  if (kWide) _tile_stored(1, out + kSide, kRow);
  if (kTall && kWide) _tile_stored(3, out + kSide * kPatch + kSide, kRow);
}

// finish writes n pixels, `step` floats apart, of up to 16 outputs: leaky(sums + bias), to which add adds what is there.
AMX void finish(float* out, ptrdiff_t step, const float* sums, int n, int outputs, const float* bias, bool add, bool leaky, float slope) {
  const __mmask16 m = first_lanes(outputs);
  const __m512 b = bias ? _mm512_maskz_loadu_ps(m, bias) : _mm512_setzero_ps(), s = _mm512_set1_ps(leaky ? slope : 1.0f);
  for (int i = 0; i < n; ++i, out += step, sums += kPatch) {
    __m512 v = _mm512_add_ps(_mm512_loadu_ps(sums), b);
    if (add) v = _mm512_add_ps(v, _mm512_maskz_loadu_ps(m, out));
    _mm512_mask_storeu_ps(out, m, _mm512_max_ps(_mm512_mul_ps(v, s), v));
  }
}

// accumulate adds up to 16 rows of sums, kPatch apart, to `to`, or writes them there if it is fresh.
AMX void accumulate(float* to, ptrdiff_t step, const float* sums, int rows, int columns, bool fresh) {
  const __mmask16 m = first_lanes(columns);
  for (int i = 0; i < rows; ++i, to += step, sums += kPatch) {
    const __m512 v = _mm512_loadu_ps(sums);
    _mm512_mask_storeu_ps(to, m, fresh ? v : _mm512_add_ps(v, _mm512_maskz_loadu_ps(m, to)));
  }
}

// Plane is a part's rows of the input, rounded, between borders of zeros.
struct Plane {
  const ns_shape& s;
  const int pitch;  // pixels from one row to the next

  explicit Plane(const ns_shape& shape) : s(shape), pitch(s.w + 1) {}
  ptrdiff_t row() const { return static_cast<ptrdiff_t>(pitch) * s.c; }
  // Tiles reach beyond the last row: patches of pixels, and the rest of a tile's depth.
  size_t size(int rows) const { return (rows + 2) * row() + static_cast<size_t>(kPatch + 4) * s.c + kDepth; }

  // fill rounds rows [from - 1, to + 1) of an item, times a mask; scratch holds a row.
  void fill(const Kernels& k, uint16_t* dst, const float* px, const ns_mask& mask, int item, int from, int to, float* scratch) const {
    const int n = s.w * s.c;
    uint16_t* const end = dst + size(to - from);
    for (int r = from - 1; r <= to; ++r, dst += row()) {
      if (r < 0 || r >= s.h) {
        std::memset(dst, 0, row() * sizeof *dst);
        continue;
      }
      const float* src = masked_row(k, s, px, mask, item, r, scratch);
      std::memset(dst, 0, s.c * sizeof *dst);
      round(dst + s.c, src, n);
    }
    std::memset(dst, 0, (end - dst) * sizeof *dst);
  }

  // masked_row returns a row of a dense tensor times a mask: itself without one, else in scratch.
  static const float* masked_row(const Kernels& k, const ns_shape& s, const float* px, const ns_mask& mask, int item, int r, float* scratch) {
    const int n = s.w * s.c;
    const float* src = px + (static_cast<ptrdiff_t>(item) * s.h + r) * n;
    if (!mask.threshold) return src;
    std::memcpy(scratch, src, n * sizeof(float));
    k.dropout(scratch, n, mask, static_cast<uint32_t>(mask.period ? r : item * s.h + r) * static_cast<uint32_t>(n));
    return scratch;
  }
};

// Strips cuts the rows of all items into parts of so many bytes a row.
struct Strips {
  int rows, per_item, count;
  Strips(const ns_shape& s, int threads, ptrdiff_t row_bytes) {
    rows = static_cast<int>(std::clamp<ptrdiff_t>(kStripBytes / row_bytes, 1, s.h));
    rows = std::min(rows, ceil_div(s.h, ceil_div(2 * threads, s.n)));
    per_item = ceil_div(s.h, rows);
    count = per_item * s.n;
  }
};

// pack_panel writes the weights of up to 16 outputs from `first` on as tiles [kernel row][block of depth]; the depth is the channels of a
// row's taps.
void pack_panel(uint16_t* dst, const Source& w, int rows, int taps, int channels, int first, int outputs) {
  const int depth = taps * channels, blocks = ceil_div(depth, kDepth);
  float row[2][kSide];
  for (int r = 0; r < rows; ++r)
    for (int k = 0; k < blocks * kDepth; k += 2, dst += 2 * kSide) {
      for (int j = 0; j < 2; ++j) {
        const bool inside = k + j < depth;
        const float* at = w.at + (taps * r + (k + j) / channels) * w.tap_step + (k + j) % channels * w.in_step + first * w.out_step;
        for (int i = 0; i < kSide; ++i) row[j][i] = inside && i < outputs ? at[i * w.out_step] : 0.0f;
      }
      pairs(dst, row[0], row[1], kSide);
    }
}

// turn_row turns a row of `pixels` dense pixels to [channel][pixel].
void turn_row(uint16_t* dst, ptrdiff_t channel, const float* src, int pixels, int channels) {
  for (int c = 0; c < channels; c += kSide)
    for (int p = 0; p < pixels; p += kSide)
      turn(dst + c * channel + p, channel, src + static_cast<ptrdiff_t>(p) * channels + c, channels, std::min(kSide, pixels - p), std::min(kSide, channels - c));
}

// pair_row writes a row of gradients, `step` floats apart, as [panel][pair of pixels][16 outputs][2], where a panel has so many pixels.
void pair_row(uint16_t* dst, int panel, const float* src, int pixels, int outputs, ptrdiff_t step) {
  for (int c = 0; c < outputs; c += kSide) {
    uint16_t* d = dst + static_cast<ptrdiff_t>(panel) * c;
    for (int p = 0; p < pixels; p += 2, d += 2 * kSide)
      pairs(d, src + p * step + c, p + 1 < pixels ? src + (p + 1) * step + c : nullptr, std::min(kSide, outputs - c));
  }
}

// sum_outer adds the products of inputs x [channel][pixel] and gradients d [panel][pixel], over `depth` pixels, to the sums of a tap.
void sum_outer(const Gradient& g, const uint16_t* x, ptrdiff_t channel, const uint16_t* d, int depth, int tap, float* to, bool fresh, float* sums) {
  const Unit unit;
  for (int c = 0; c < g.in; c += kPatch)
    for (int p = 0; p < g.o; p += kPatch) {
      const uint16_t* b = d + static_cast<ptrdiff_t>(depth) * p;
      const bool tall = c + kSide < g.in, wide = p + kSide < g.o;
      auto* product = tall ? wide ? multiply<true, true> : multiply<true, false> : wide ? multiply<false, true> : multiply<false, false>;
      product(x + c * channel, 2 * channel, 0, 1, depth / kDepth, b, b + static_cast<ptrdiff_t>(depth) * kSide, sums);
      for (int v = 0; v < std::min(kPatch, g.o - p); v += kSide)
        accumulate(to + (static_cast<ptrdiff_t>(tap) * g.in + c) * g.padded + p + v, g.padded, sums + v, std::min(kPatch, g.in - c), std::min(kSide, g.o - p - v), fresh);
    }
}

// Factor is what a plane is multiplied by: packed panels of weights, [panel][kernel row][block of depth].
struct Factor {
  const uint16_t* packed;
  int panels, rows, blocks;
  ptrdiff_t panel() const { return static_cast<ptrdiff_t>(rows) * blocks * kTileNumbers; }
};

// products multiplies pixels of a plane, `pixel` numbers apart and in rows of `pitch` of which w are real, by all panels, and calls
// write(panel, row, x, n, sums) for n outputs from pixel x of a row on, kPatch floats apart.
template <typename F>
void products(const uint16_t* in, int pixels, int pixel, int pitch, int w, const Factor& f, float* sums, F write) {
  const Unit unit;
  const ptrdiff_t row = static_cast<ptrdiff_t>(pitch) * pixel;
  for (int p = 0; p < f.panels; p += 2) {
    const uint16_t* weights = f.packed + p * f.panel();
    auto* product = p + 1 < f.panels ? multiply<true, true> : multiply<true, false>;
    for (int q = 0; q < pixels; q += kPatch) {
      product(in + static_cast<ptrdiff_t>(q) * pixel, 2 * pixel, row, f.rows, f.blocks, weights, weights + f.panel(), sums);
      for (int v = p; v < std::min(f.panels, p + 2); ++v)
        for (int i = 0; i < kPatch && q + i < pixels;) {
          const int x = (q + i) % pitch, n = std::min({w - x, kPatch - i, pixels - q - i});
          if (n > 0) write(v, (q + i) / pitch, x, n, sums + i * kPatch + (v - p) * kSide);
          i += std::min(pitch - x, kPatch - i);
        }
    }
  }
}

}  // namespace

bool nextslice::amx_ready() {
  unsigned a, b, c, d;
  if (!kernels(NS_AVX512) || !__get_cpuid_count(7, 0, &a, &b, &c, &d) || !(d >> 22 & 1) || !(d >> 24 & 1)) return false;
  if (!__get_cpuid_count(7, 1, &a, &b, &c, &d) || !(a >> 5 & 1)) return false;
  constexpr long kRequest = 0x1023, kTileData = 18;  // ARCH_REQ_XCOMP_PERM of Linux 5.16 and later
  return syscall(SYS_arch_prctl, kRequest, kTileData) == 0;
}

void nextslice::amx(ns_engine* e, const Convolution& c) {
  const Kernels& k = e->k;
  const ns_shape& s = c.s;
  const Plane plane(s);
  const Subpixels out(c.y, s.w);
  const int panels_of_one = ceil_div(c.channels, kSide), panels = panels_of_one * out.count;
  Factor f{nullptr, panels, 3, ceil_div(3 * s.c, kDepth)};
  auto* packed = reinterpret_cast<uint16_t*>(e->weights.get(f.panel() * panels / 2));
  f.packed = packed;
  e->team.run(panels, [&](int p, int) {
    const int channel = p % panels_of_one * kSide;
    pack_panel(packed + p * f.panel(), c.w, 3, 3, s.c, p / panels_of_one * c.channels + channel, std::min(kSide, c.channels - channel));
  });
  const Strips strips(s, e->team.threads(), plane.row() * 2);
  e->team.run(strips.count, [&](int part, int thread) {
    const int item = part / strips.per_item, from = part % strips.per_item * strips.rows, to = std::min(s.h, from + strips.rows);
    const size_t room = (plane.size(strips.rows) + 1) / 2;
    float* sums = e->local[thread].get(kPatch * kPatch + static_cast<size_t>(s.w) * s.c + room);
    float* scratch = sums + kPatch * kPatch;
    auto* in = reinterpret_cast<uint16_t*>(scratch + static_cast<ptrdiff_t>(s.w) * s.c);
    plane.fill(k, in, c.px, c.in, item, from, to, scratch);
    products(in, (to - from) * plane.pitch, s.c, plane.pitch, s.w, f, sums, [&](int v, int r, int x, int n, const float* from_sums) {
      const int channel = v % panels_of_one * kSide;
      finish(out.row(static_cast<ptrdiff_t>(item) * s.h + from + r, v / panels_of_one) + static_cast<ptrdiff_t>(x) * out.step + channel, out.step, from_sums, n,
             std::min(kSide, c.channels - channel), c.bias ? c.bias + channel : nullptr, c.y.add != 0, c.leaky, c.slope);
    });
    if (c.out.threshold)  // of a dense gradient
      for (int r = from; r < to; ++r) {
        const int n = s.w * c.channels;
        const ptrdiff_t number = static_cast<ptrdiff_t>(item) * s.h + r;
        k.dropout(c.y.at + number * n, n, c.out, static_cast<uint32_t>(c.out.period ? r : number) * static_cast<uint32_t>(n));
      }
  });
}

void nextslice::amx_weights(ns_engine* e, const ns_shape& s, const float* px, int o, float* dw, float* db, const float* dy, const ns_mask& mask) {
  const Kernels& k = e->k;
  const int pitch = round_up(s.w + 1, 2);  // pairs of pixels do not reach into the next row
  const int ins = round_up(s.c, kSide), outs = round_up(o, kSide);
  const Strips strips(s, e->team.threads(), static_cast<ptrdiff_t>(pitch) * (ins + outs) * 2);
  const int depth = round_up(strips.rows * pitch, kDepth);
  // Channels lie a multiple of a line apart, but of no large power of two. Tiles begin up to two rows and two pixels later.
  const ptrdiff_t channel = round_up(depth + 2 * pitch + kDepth, 128) + 32;
  Gradient g(e, kTaps, s.c, o, strips.count);
  g.each(strips.count, [](float*) {}, [&](int part, int thread, float* to_sums, bool fresh) {
    const int item = part / strips.per_item, from = part % strips.per_item * strips.rows, to = std::min(s.h, from + strips.rows);
    const size_t row = static_cast<size_t>(s.w) * s.c;
    float* sums = e->local[thread].get(kPatch * kPatch + row + (channel * ins + static_cast<size_t>(depth) * outs) / 2);
    float* scratch = sums + kPatch * kPatch;
    auto* x = reinterpret_cast<uint16_t*>(scratch + row);  // [channel][row, border, pixel]
    auto* d = x + channel * ins;                           // [panel][pair of pixels][16 outputs][2]
    std::memset(x, 0, (channel * ins + static_cast<size_t>(depth) * outs) * sizeof *x);
    for (int r = std::max(0, from - 1); r < std::min(s.h, to + 1); ++r)
      turn_row(x + static_cast<ptrdiff_t>(r - from + 1) * pitch + 1, channel, Plane::masked_row(k, s, px, mask, item, r, scratch), s.w, s.c);
    for (int r = from; r < to; ++r)
      pair_row(d + static_cast<ptrdiff_t>(r - from) * pitch * kSide, depth, dy + (static_cast<ptrdiff_t>(item) * s.h + r) * s.w * o, s.w, o, o);
    narrow(k, o).channel_sums(dy + (static_cast<ptrdiff_t>(item) * s.h + from) * s.w * o, static_cast<int64_t>(to - from) * s.w, o, o,
                              to_sums + static_cast<ptrdiff_t>(kTaps) * s.c * g.padded);
    for (int t = 0; t < kTaps; ++t) sum_outer(g, x + t / 3 * pitch + t % 3, channel, d, depth, t, to_sums, fresh, sums);
  });
  g.add_up(kTaps, dw, db);
}

void nextslice::amx_up(ns_engine* e, const ns_shape& s, const ns_shape& ys, float* y, const float* px, const float* w, const float* b) {
  const int o = ys.c, panels_of_one = ceil_div(o, kSide);
  Factor f{nullptr, 4 * panels_of_one, 1, ceil_div(s.c, kDepth)};
  auto* packed = reinterpret_cast<uint16_t*>(e->weights.get(f.panel() * f.panels / 2));
  f.packed = packed;
  e->team.run(f.panels, [&](int p, int) {
    const int channel = p % panels_of_one * kSide;
    const Source tap{w + static_cast<ptrdiff_t>(p / panels_of_one) * s.c * o, 0, o, 1};
    pack_panel(packed + p * f.panel(), tap, 1, 1, s.c, channel, std::min(kSide, o - channel));
  });
  const Strips strips(s, e->team.threads(), static_cast<ptrdiff_t>(s.w) * s.c * 2);
  e->team.run(strips.count, [&](int part, int thread) {
    const int item = part / strips.per_item, from = part % strips.per_item * strips.rows, to = std::min(s.h, from + strips.rows);
    const int pixels = (to - from) * s.w;
    const size_t numbers = static_cast<size_t>(pixels) * s.c, room = numbers + static_cast<size_t>(kPatch) * s.c + kDepth;
    float* sums = e->local[thread].get(kPatch * kPatch + (room + 1) / 2);
    auto* in = reinterpret_cast<uint16_t*>(sums + kPatch * kPatch);
    round(in, px + (static_cast<ptrdiff_t>(item) * s.h + from) * s.w * s.c, static_cast<int>(numbers));
    std::memset(in + numbers, 0, (room - numbers) * sizeof *in);
    products(in, pixels, s.c, s.w, s.w, f, sums, [&](int v, int r, int x, int n, const float* from_sums) {
      const int t = v / panels_of_one, channel = v % panels_of_one * kSide;
      const ptrdiff_t first = (static_cast<ptrdiff_t>(item) * ys.h + 2 * (from + r) + t / 2) * ys.w + 2 * x + t % 2;
      finish(y + first * ys.stride + channel, 2 * static_cast<ptrdiff_t>(ys.stride), from_sums, n, std::min(kSide, o - channel), b + channel, false, false, 0);
    });
  });
}

void nextslice::amx_up_data(ns_engine* e, const ns_shape& s, const ns_shape& ys, float* dx, const float* dy, const float* w) {
  const int o = ys.c, pixel = 4 * o;  // the four taps' gradients of a pixel, one after the other
  Factor f{nullptr, ceil_div(s.c, kSide), 1, ceil_div(pixel, kDepth)};
  auto* packed = reinterpret_cast<uint16_t*>(e->weights.get(f.panel() * f.panels / 2));
  f.packed = packed;
  e->team.run(f.panels, [&](int p, int) {
    pack_panel(packed + p * f.panel(), Source{w, static_cast<ptrdiff_t>(s.c) * o, 1, o}, 1, 4, o, p * kSide, std::min(kSide, s.c - p * kSide));
  });
  const Strips strips(s, e->team.threads(), static_cast<ptrdiff_t>(s.w) * pixel * 2);
  e->team.run(strips.count, [&](int part, int thread) {
    const int item = part / strips.per_item, from = part % strips.per_item * strips.rows, to = std::min(s.h, from + strips.rows);
    const int pixels = (to - from) * s.w;
    const size_t numbers = static_cast<size_t>(pixels) * pixel, room = numbers + static_cast<size_t>(kPatch) * pixel + kDepth;
    float* sums = e->local[thread].get(kPatch * kPatch + (room + 1) / 2);
    auto* in = reinterpret_cast<uint16_t*>(sums + kPatch * kPatch);
    uint16_t* dst = in;
    for (int r = from; r < to; ++r)
      for (int x = 0; x < s.w; ++x)
        for (int t = 0; t < 4; ++t, dst += o)
          round(dst, dy + ((static_cast<ptrdiff_t>(item) * ys.h + 2 * r + t / 2) * ys.w + 2 * x + t % 2) * ys.stride, o);
    std::memset(dst, 0, (room - numbers) * sizeof *dst);
    products(in, pixels, pixel, s.w, s.w, f, sums, [&](int v, int r, int x, int n, const float* from_sums) {
      finish(dx + ((static_cast<ptrdiff_t>(item) * s.h + from + r) * s.w + x) * s.c + v * kSide, s.c, from_sums, n, std::min(kSide, s.c - v * kSide), nullptr, false, false, 0);
    });
  });
}

void nextslice::amx_up_weights(ns_engine* e, const ns_shape& s, const ns_shape& ys, float* dw, float* db, const float* dy, const float* px) {
  const Kernels& k = e->k;
  const int o = ys.c, pitch = round_up(s.w, 2), ins = round_up(s.c, kSide), outs = round_up(o, kSide);
  const Strips strips(s, e->team.threads(), static_cast<ptrdiff_t>(pitch) * (ins + outs) * 2);
  const int depth = round_up(strips.rows * pitch, kDepth);
  const ptrdiff_t channel = round_up(depth, 128) + 32;
  Gradient g(e, 4, s.c, o, strips.count);
  g.each(strips.count, [](float*) {}, [&](int part, int thread, float* to_sums, bool fresh) {
    const int item = part / strips.per_item, from = part % strips.per_item * strips.rows, to = std::min(s.h, from + strips.rows);
    float* sums = e->local[thread].get(kPatch * kPatch + (channel * ins + static_cast<size_t>(depth) * outs) / 2);
    auto* x = reinterpret_cast<uint16_t*>(sums + kPatch * kPatch);
    auto* d = x + channel * ins;
    std::memset(x, 0, (channel * ins + static_cast<size_t>(depth) * outs) * sizeof *x);
    for (int r = from; r < to; ++r)
      turn_row(x + static_cast<ptrdiff_t>(r - from) * pitch, channel, px + (static_cast<ptrdiff_t>(item) * s.h + r) * s.w * s.c, s.w, s.c);
    for (int t = 0; t < 4; ++t) {
      for (int r = from; r < to; ++r) {
        const float* src = dy + ((static_cast<ptrdiff_t>(item) * ys.h + 2 * r + t / 2) * ys.w + t % 2) * ys.stride;
        pair_row(d + static_cast<ptrdiff_t>(r - from) * pitch * kSide, depth, src, s.w, o, 2 * static_cast<ptrdiff_t>(ys.stride));
        narrow(k, o).channel_sums(src, s.w, o, 2 * ys.stride, to_sums + static_cast<ptrdiff_t>(4) * s.c * g.padded);
      }
      sum_outer(g, x, channel, d, depth, t, to_sums, fresh, sums);
    }
  });
  g.add_up(4, dw, db);
}

#else

bool nextslice::amx_ready() { return false; }
void nextslice::amx(ns_engine*, const Convolution&) {}
void nextslice::amx_weights(ns_engine*, const ns_shape&, const float*, int, float*, float*, const float*, const ns_mask&) {}
void nextslice::amx_up(ns_engine*, const ns_shape&, const ns_shape&, float*, const float*, const float*, const float*) {}
void nextslice::amx_up_data(ns_engine*, const ns_shape&, const ns_shape&, float*, const float*, const float*) {}
void nextslice::amx_up_weights(ns_engine*, const ns_shape&, const ns_shape&, float*, float*, const float*, const float*) {}

#endif
