// The inner loops, in GCC's vector extensions. Included by kernels.cc once per instruction set with VW, the floats
// per vector, and REGISTERS, the vectors that the accumulators of a tile may fill.

typedef float V __attribute__((vector_size(VW * 4), aligned(4), may_alias));
typedef uint32_t U __attribute__((vector_size(VW * 4), aligned(4), may_alias));
typedef int32_t I __attribute__((vector_size(VW * 4), aligned(4), may_alias));

static inline V load(const float* p) { return *reinterpret_cast<const V*>(p); }
static inline void store(float* p, V v) { *reinterpret_cast<V*>(p) = v; }
// splat copies f to every lane. f - 0 is f for every f, so the compiler makes it one broadcast; 0 + f is not (-0).
static inline V splat(float f) { return f - V{}; }
// leaky is v where that is above 0, else v·slope, for 0 ≤ slope ≤ 1: a multiplication and a maximum.
static inline V leaky(V v, float slope) {
  const V low = v * slope;
  return low > v ? low : v;
}

// copy_lanes copies n floats, few and often 8.
static inline void copy_lanes(float* dst, const float* src, int n) {
  int i = 0;
  for (; i + 8 <= n; i += 8) __builtin_memcpy(dst + i, src + i, 8 * sizeof(float));
  for (; i < n; ++i) dst[i] = src[i];
}

// Heights of the largest tiles of a product with two vectors and with one: as many as the registers for its sums allow, at most 16,
// since each height is compiled by itself.
constexpr int kMax2 = REGISTERS / 2, kMax1 = REGISTERS > 16 ? 16 : REGISTERS;
// Lanes of a gradient at a time, likewise; of two vectors 8 rather than 14, which divides kLanes.
constexpr int kOuter2 = REGISTERS >= 16 ? 8 : 6, kOuter1 = REGISTERS >= 16 ? 16 : 8;

// tile computes p.count times MR pixels × NV vectors of output channels in registers.
template <int MR, int NV>
static void tile(const Product& p) {
  // Copied, because for all the compiler knows a store to out could change p.
  const float *const weights = p.weights, *const bias = p.bias;
  const int channels = p.channels, rows = p.kh, columns = p.kw, valid = p.valid;
  const ptrdiff_t block = p.block, ldo = p.ldo, end = static_cast<ptrdiff_t>(p.count) * MR * kLanes;
  const bool accumulate = p.accumulate, with_leaky = p.leaky;
  const float slope = p.slope;
  const float* const row[4] = {p.rows[0], p.rows[1], p.rows[2], p.rows[3]};
  float* out = p.out;
  for (ptrdiff_t first = 0; first < end; first += MR * kLanes, out += MR * ldo) {
    V acc[MR][NV];  // in registers, if every index is a constant
#pragma GCC unroll 2
    for (int v = 0; v < NV; ++v) {
      const V b = bias ? load(bias + v * VW) : V{};
#pragma GCC unroll 32
      for (int m = 0; m < MR; ++m) acc[m][v] = b;
    }
    if (accumulate) {
#pragma GCC unroll 32
      for (int m = 0; m < MR; ++m)
        for (int v = 0; v < NV; ++v) acc[m][v] = load(out + m * ldo + v * VW);
    }
    // Pixels far apart, of a transposed convolution or of many channels: the processor does not foresee the lines that the sums
    // go to, and the stores would wait for one after the other.
    if (ldo > 2 * NV * VW)
#pragma GCC unroll 32
      for (int m = 0; m < MR; ++m)
        for (int line = 0; line < NV * VW; line += kLine) __builtin_prefetch(out + m * ldo + line, 1);
    const float* w = weights;
    auto multiply = [&](const float* a, int lanes) __attribute__((always_inline)) {
#pragma GCC unroll 4
      for (int i = 0; i < lanes; ++i, w += NV * VW) {
        V b[NV];
        for (int v = 0; v < NV; ++v) b[v] = load(w + v * VW);
#pragma GCC unroll 32
        for (int m = 0; m < MR; ++m) {
          V x = splat(a[m * kLanes + i]);
          for (int v = 0; v < NV; ++v) acc[m][v] += x * b[v];
        }
      }
    };
    if (rows == 1 && columns == 1) {
      const float* a = row[0] + first;
      int c = channels;
      for (; c >= kLanes; c -= kLanes, a += block) multiply(a, kLanes);
      if (c) multiply(a, c);
    } else {
      for (int c = 0; c < channels; c += kLanes) {
        const int lanes = channels - c < kLanes ? channels - c : kLanes;
        for (int kh = 0; kh < rows; ++kh) {
          const float* a = row[kh] + c / kLanes * block + first;
          for (int kw = 0; kw < columns; ++kw, a += kLanes) multiply(a, lanes);
        }
      }
    }
    if (with_leaky) {
#pragma GCC unroll 32
      for (int m = 0; m < MR; ++m)
        for (int v = 0; v < NV; ++v) acc[m][v] = leaky(acc[m][v], slope);
    }
    if (valid == NV * VW) {
#pragma GCC unroll 32
      for (int m = 0; m < MR; ++m)
        for (int v = 0; v < NV; ++v) store(out + m * ldo + v * VW, acc[m][v]);
      continue;
    }
    V lanes[MR][NV];
#pragma GCC unroll 32
    for (int m = 0; m < MR; ++m)
      for (int v = 0; v < NV; ++v) lanes[m][v] = acc[m][v];
    for (int m = 0; m < MR; ++m) copy_lanes(out + m * ldo, reinterpret_cast<const float*>(lanes[m]), valid);
  }
}

// outer accumulates MR lanes × NV vectors over all pixels of some rows.
template <int MR, int NV>
static void outer(const Outer& p) {
  V acc[MR][NV];
#pragma GCC unroll 16
  for (int m = 0; m < MR; ++m)
    for (int v = 0; v < NV; ++v) acc[m][v] = p.fresh ? V{} : load(p.out + m * p.ldo + v * VW);
  for (int r = 0; r < p.rows; ++r) {
    const float* x = p.x + r * p.xrow;
    const float* dy = p.dy + r * p.dyrow;
#pragma GCC unroll 4
    for (int i = 0; i < p.pixels; ++i, x += kLanes, dy += p.dypixel) {
      V d[NV];
      for (int v = 0; v < NV; ++v) d[v] = load(dy + v * VW);
#pragma GCC unroll 16
      for (int m = 0; m < MR; ++m) {
        V a = splat(x[m]);
        for (int v = 0; v < NV; ++v) acc[m][v] += a * d[v];
      }
    }
  }
#pragma GCC unroll 16
  for (int m = 0; m < MR; ++m)
    for (int v = 0; v < NV; ++v) store(p.out + m * p.ldo + v * VW, acc[m][v]);
}

template <int NV, int MAX, int... M>
struct Tiles : Tiles<NV, MAX - 1, MAX, M...> {};
template <int NV, int... M>
struct Tiles<NV, 0, M...> {
  static constexpr void (*table[])(const Product&) = {nullptr, tile<M, NV>...};
};
template <int NV, int MAX, int... M>
struct Outers : Outers<NV, MAX - 1, MAX, M...> {};
template <int NV, int... M>
struct Outers<NV, 0, M...> {
  static constexpr void (*table[])(const Outer&) = {nullptr, outer<M, NV>...};
};

static void pack(float* dst, const float* src, int pixels, ptrdiff_t step, int lanes) {
  if (lanes < kLanes) {
    for (int p = 0; p < pixels; ++p, dst += kLanes, src += step) copy_lanes(dst, src, lanes);
    return;
  }
  for (int p = 0; p < pixels; ++p, dst += kLanes, src += step)
    for (int l = 0; l < kLanes; l += VW) store(dst + l, load(src + l));
}

static void add(float* dst, const float* src, int64_t n) {
  int64_t i = 0;
  for (; i + VW <= n; i += VW) store(dst + i, load(dst + i) + load(src + i));
  for (; i < n; ++i) dst[i] += src[i];
}

// each runs vector(offset) on whole vectors of c channels and scalar(channel) on the rest.
template <typename Vector, typename Scalar>
static inline void each(int c, Vector vector, Scalar scalar) {
  int i = 0;
  for (; i + VW <= c; i += VW) vector(i);
  for (; i < c; ++i) scalar(i);
}

static void channel_sums(const float* x, int64_t pixels, int c, ptrdiff_t stride, float* sum) {
  each(
      c,
      [&](int i) {
        V s0 = V{}, s1 = V{};
        int64_t p = 0;
        for (; p + 2 <= pixels; p += 2) {
          s0 += load(x + p * stride + i);
          s1 += load(x + (p + 1) * stride + i);
        }
        if (p < pixels) s0 += load(x + p * stride + i);
        store(sum + i, load(sum + i) + (s0 + s1));
      },
      [&](int i) {
        float s = 0;
        for (int64_t p = 0; p < pixels; ++p) s += x[p * stride + i];
        sum[i] += s;
      });
}

static void channel_squares(const float* x, int64_t pixels, int c, ptrdiff_t stride, const float* mean, float* sq) {
  each(
      c,
      [&](int i) {
        const V m = load(mean + i);
        V s0 = V{}, s1 = V{};
        int64_t p = 0;
        for (; p + 2 <= pixels; p += 2) {
          V d0 = load(x + p * stride + i) - m, d1 = load(x + (p + 1) * stride + i) - m;
          s0 += d0 * d0;
          s1 += d1 * d1;
        }
        if (p < pixels) {
          V d = load(x + p * stride + i) - m;
          s0 += d * d;
        }
        store(sq + i, load(sq + i) + (s0 + s1));
      },
      [&](int i) {
        float s = 0;
        for (int64_t p = 0; p < pixels; ++p) {
          float d = x[p * stride + i] - mean[i];
          s += d * d;
        }
        sq[i] += s;
      });
}

static void affine(float* y, const float* x, int64_t pixels, int c, ptrdiff_t ystride, ptrdiff_t xstride,
                   const float* scale, const float* shift, float slope) {
  for (int64_t p = 0; p < pixels; ++p) {
    const float* px = x + p * xstride;
    float* py = y + p * ystride;
    each(
        c, [&](int i) { store(py + i, leaky(load(px + i) * load(scale + i) + load(shift + i), slope)); },
        [&](int i) {
          float z = px[i] * scale[i] + shift[i];
          py[i] = z > 0 ? z : z * slope;
        });
  }
}

static void norm_sums(const float* dy, const float* x, int64_t pixels, int c, ptrdiff_t dystride, ptrdiff_t xstride,
                      const float* scale, const float* shift, const float* mean, float slope, float* sum,
                      float* dot) {
  each(
      c,
      [&](int i) {
        const V a = load(scale + i), b = load(shift + i), mu = load(mean + i);
        V s = V{}, d = V{};
        for (int64_t p = 0; p < pixels; ++p) {
          V v = load(x + p * xstride + i), g = load(dy + p * dystride + i);
          g = v * a + b > 0 ? g : g * slope;
          s += g;
          d += g * (v - mu);
        }
        store(sum + i, load(sum + i) + s);
        store(dot + i, load(dot + i) + d);
      },
      [&](int i) {
        float s = 0, d = 0;
        for (int64_t p = 0; p < pixels; ++p) {
          float v = x[p * xstride + i], g = dy[p * dystride + i];
          if (!(v * scale[i] + shift[i] > 0)) g *= slope;
          s += g;
          d += g * (v - mean[i]);
        }
        sum[i] += s;
        dot[i] += d;
      });
}

static void norm_dx(float* dx, const float* dy, const float* x, int64_t pixels, int c, ptrdiff_t dxstride,
                    ptrdiff_t dystride, ptrdiff_t xstride, const float* scale, const float* shift, const float* mean,
                    const float* a, const float* b, float slope) {
  for (int64_t p = 0; p < pixels; ++p) {
    const float *px = x + p * xstride, *pg = dy + p * dystride;
    float* pd = dx + p * dxstride;
    each(
        c,
        [&](int i) {
          V v = load(px + i), g = load(pg + i), s = load(scale + i);
          g = v * s + load(shift + i) > 0 ? g : g * slope;
          store(pd + i, s * (g - load(a + i) - (v - load(mean + i)) * load(b + i)));
        },
        [&](int i) {
          float v = px[i], g = pg[i];
          if (!(v * scale[i] + shift[i] > 0)) g *= slope;
          pd[i] = scale[i] * (g - a[i] - (v - mean[i]) * b[i]);
        });
  }
}

// hash is tensor.Hash.
static inline uint32_t hash(uint32_t h, uint64_t seed) {
  h ^= static_cast<uint32_t>(seed);
  h ^= h >> 16;
  h *= 0x7feb352du;
  h ^= h >> 15;
  h += static_cast<uint32_t>(seed >> 32);
  h *= 0x846ca68bu;
  h ^= h >> 16;
  return h;
}

// numbers returns first, first + 1, … They come from memory: put together lane by lane they cost more than the hash.
static inline U numbers(uint32_t first) { return *reinterpret_cast<const U*>(kCount) + first; }

// drop is v where the hash of its number is not below the threshold. 2³¹ added before the last product, by an odd number, flips
// the hash's top bit, so that signed numbers can be compared, for which there are instructions. The hash's last line
// changes the lower half only: where that of the threshold is zero, as for 0.5, it is left out.
static inline V drop(V v, U number, const ns_mask& m) {
  U h = number ^ static_cast<uint32_t>(m.seed);
  h ^= h >> 16;
  h *= 0x7feb352du;
  h ^= h >> 15;
  h += static_cast<uint32_t>(m.seed >> 32) + 0x80000000u;
  h *= 0x846ca68bu;
  if (m.threshold & 0xffff) h ^= h >> 16 ^ 0x8000u;
  return reinterpret_cast<I&>(h) > static_cast<int32_t>((m.threshold - 1) ^ 0x80000000u) ? v * m.scale : V{};
}
static inline float drop1(float v, uint32_t index, const ns_mask& m) {
  return hash(index, m.seed) >= m.threshold ? v * m.scale : 0.0f;
}

static void dropout(float* x, int n, const ns_mask& mask, uint32_t index) {
  each(
      n, [&](int i) { store(x + i, drop(load(x + i), numbers(index + i), mask)); },
      [&](int i) { x[i] = drop1(x[i], index + i, mask); });
}

#include "pool.inc.h"

// exponential returns eˣ for x ≤ 0 with a relative error below 2e-7: 2ⁿ times the Taylor series of degree 7 of
// e^r, |r| ≤ ln2/2.
static inline V exponential(V x) {
  constexpr float kLeast = -87.0f;                                      // e^kLeast is still a normal number
  constexpr float kPerLn2 = 1.44269504088896341f;                       // 1/ln 2
  constexpr float kLn2High = 0.693359375f, kLn2Low = -2.12194440e-4f;  // their sum is ln 2; n·kLn2High is exact
  constexpr float kRound = 12582912.0f;                                 // 1.5·2²³: adding it rounds to an integer
  constexpr int32_t kRoundBits = 0x4b400000, kBias = 127;               // kRound as an integer; of a float's exponent
  x = x < kLeast ? splat(kLeast) : x;
  const V magic = splat(kRound);
  V n = x * kPerLn2 + magic;
  I bits = reinterpret_cast<I&>(n);
  n -= magic;
  V r = x - n * kLn2High - n * kLn2Low;
  V e = splat(1.0f / 5040);
  e = e * r + 1.0f / 720;
  e = e * r + 1.0f / 120;
  e = e * r + 1.0f / 24;
  e = e * r + 1.0f / 6;
  e = e * r + 0.5f;
  e = e * r + 1.0f;
  e = e * r + 1.0f;
  I power = (bits + (kBias - kRoundBits)) << 23;
  return e * reinterpret_cast<V&>(power);
}

// gather returns x[0], x[stride], … of n lanes, and zeros.
static inline V gather(const float* x, ptrdiff_t stride, int n) {
  V v = V{};
  if (n == VW) {
#pragma GCC unroll 16
    for (int l = 0; l < VW; ++l) v[l] = x[l * stride];
  } else {
    float lane[VW] = {};
    for (int l = 0; l < n; ++l) lane[l] = x[l * stride];
    v = load(lane);
  }
  return v;
}

// scatter stores n lanes to x[0], x[stride], …
static inline void scatter(float* x, ptrdiff_t stride, int n, V v) {
  float lane[VW];
  store(lane, v);
  for (int l = 0; l < n; ++l) x[l * stride] = lane[l];
}

static void softmax(float* p, const float* x, int64_t pixels, int k, ptrdiff_t pstride, ptrdiff_t xstride) {
  static thread_local float buffer[NS_MAX_CLASSES][VW];
  for (int64_t q = 0; q < pixels; q += VW) {
    const int n = pixels - q < VW ? static_cast<int>(pixels - q) : VW;
    V top = V{};
    for (int j = 0; j < k; ++j) {
      const V v = gather(x + q * xstride + j, xstride, n);
      top = j == 0 ? v : (v > top ? v : top);
      store(buffer[j], v);
    }
    V sum = V{};
    for (int j = 0; j < k; ++j) {
      V e = exponential(load(buffer[j]) - top);
      store(buffer[j], e);
      sum += e;
    }
    for (int j = 0; j < k; ++j) scatter(p + q * pstride + j, pstride, n, load(buffer[j]) / sum);
  }
}

// logarithm returns ln x of a normal x > 0 and some number for any other. x = 2ⁿ·m with m in [√½, √2), and with
// s = (m-1)/(m+1), ln m = 2·artanh s = 2(s + s³/3 + s⁵/5 + s⁷/7 + …), |s| < 0.172, whose next term is below 3e-8.
static inline V logarithm(V x) {
  const int32_t root_half = 0x3f3504f3;  // √½ as an integer
  const I bits = reinterpret_cast<I&>(x);
  const I n = (bits - root_half) >> 23;
  const I mantissa = bits - (n << 23);
  const V m = reinterpret_cast<const V&>(mantissa);
  const V s = (m - 1.0f) / (m + 1.0f), z = s * s;
  V series = splat(2.0f / 7);
  series = series * z + 2.0f / 5;
  series = series * z + 2.0f / 3;
  series = series * z + 2.0f;
  return __builtin_convertvector(n, V) * 0.693147181f + s * series;
}

static void logarithms(float* x, int n) {
  int i = 0;
  for (; i + VW <= n; i += VW) store(x + i, logarithm(load(x + i)));
  float lane[VW] = {};
  for (int l = 0; i + l < n; ++l) lane[l] = x[i + l];
  store(lane, logarithm(load(lane)));
  for (int l = 0; i + l < n; ++l) x[i + l] = lane[l];
}

static void entropy(float* h, const float* p, int64_t pixels, int k, ptrdiff_t pstride) {
  for (int64_t q = 0; q < pixels; q += VW) {
    const int n = pixels - q < VW ? static_cast<int>(pixels - q) : VW;
    V sum = V{};
    for (int j = 0; j < k; ++j) {
      const V v = gather(p + q * pstride + j, pstride, n);
      sum -= v > 0 ? v * logarithm(v) : v * 0.0f;  // NaN stays NaN
    }
    scatter(h + q, 1, n, sum);
  }
}

// square_root takes the roots lane by lane where there is no instruction for all: the compiler does not find it.
static inline V square_root(V v) {
#ifdef SQUARE_ROOT
  return SQUARE_ROOT(v);
#else
  for (int l = 0; l < VW; ++l) v[l] = __builtin_sqrtf(v[l]);
  return v;
#endif
}

static void adam(float* w, float* m, float* v, const float* g, int64_t n, const ns_moments& p) {
  int64_t i = 0;
  for (; i < n; i += VW) {
    float tail[4][VW];
    const bool whole = i + VW <= n;
    const int left = static_cast<int>(whole ? VW : n - i);
    float *pw = w + i, *pm = m + i, *pv = v + i;
    const float* pg = g + i;
    if (!whole) {
      for (int l = 0; l < VW; ++l) {
        tail[0][l] = l < left ? pw[l] : 0;
        tail[1][l] = l < left ? pm[l] : 0;
        tail[2][l] = l < left ? pv[l] : 0;
        tail[3][l] = l < left ? pg[l] : 0;
      }
      pw = tail[0], pm = tail[1], pv = tail[2], pg = tail[3];
    }
    V weight = load(pw);
    V grad = load(pg) + weight * p.decay;
    V first = load(pm) * p.beta1 + grad * p.rest1;
    V second = load(pv) * p.beta2 + grad * grad * p.rest2;
    weight -= first * p.step / (square_root(second) / p.c2 + p.eps);
    store(pw, weight);
    store(pm, first);
    store(pv, second);
    if (!whole)
      for (int l = 0; l < left; ++l) w[i + l] = pw[l], m[i + l] = pm[l], v[i + l] = pv[l];
  }
}

#include "winograd.inc.h"

#include "ends.inc.h"

static float multiply_adds(int64_t rounds) {
  static_assert(kChains == 12, "r0 … r11");
  V a = splat(1.0f), b = splat(0.999f), c = splat(1e-3f);
  V r0 = a, r1 = a + 1, r2 = a + 2, r3 = a + 3, r4 = a + 4, r5 = a + 5;
  V r6 = a + 6, r7 = a + 7, r8 = a + 8, r9 = a + 9, r10 = a + 10, r11 = a + 11;
  for (int64_t i = 0; i < rounds; ++i) {
    r0 = r0 * b + c, r1 = r1 * b + c, r2 = r2 * b + c, r3 = r3 * b + c, r4 = r4 * b + c, r5 = r5 * b + c;
    r6 = r6 * b + c, r7 = r7 * b + c, r8 = r8 * b + c, r9 = r9 * b + c, r10 = r10 * b + c, r11 = r11 * b + c;
#if defined(__x86_64__)
    // Without this the compiler folds rounds into each other.
    __asm__ volatile("" : "+x"(r0), "+x"(r1), "+x"(r2), "+x"(r3), "+x"(r4), "+x"(r5));
    __asm__ volatile("" : "+x"(r6), "+x"(r7), "+x"(r8), "+x"(r9), "+x"(r10), "+x"(r11));
#endif
  }
  V sum = ((r0 + r1) + (r2 + r3)) + ((r4 + r5) + (r6 + r7)) + ((r8 + r9) + (r10 + r11));
  float total = 0;
  for (int i = 0; i < VW; ++i) total += sum[i];
  return total;
}

static void triad(float* a, const float* b, const float* c, int64_t n, float s) {
  for (int64_t i = 0; i + VW <= n; i += VW) store(a + i, load(b + i) + load(c + i) * s);
}

static const Kernels table = {
    NAME, NARROWER, VW, kMax2, kMax1, kOuter2, kOuter1,
    Tiles<2, kMax2>::table, Tiles<1, kMax1>::table, Outers<2, kOuter2>::table, Outers<1, kOuter1>::table,
    pack, add, channel_sums, channel_squares, affine, norm_sums, norm_dx,
    pooled_sums, pooled_dx, affine_maxpool, maxpool, maxpool_backward, dropout, softmax, entropy, logarithms, adam,
    winograd_input, winograd_output, winograd_gradient, winograd_weights, winograd_taps,
    planar, ClassesOf<kHalfVector>::table,
    multiply_adds, triad,
};
