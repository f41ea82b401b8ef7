// The ends of a network: the layer that sees the image, from a few channels, and the one that gives the classes. Included by kernels.inc.h.

// Outputs of a pixel if two pixels share a vector, and of Classes at most.
constexpr int kHalfVector = VW / 2;

typedef uint64_t Pairs __attribute__((vector_size(VW * 4), aligned(4), may_alias));

// splat_pair copies two floats that lie side by side to all pairs of lanes.
static inline V splat_pair(const float* a) {
  uint64_t both;
  __builtin_memcpy(&both, a, sizeof both);
  const Pairs pairs = Pairs{} + both;
  return reinterpret_cast<const V&>(pairs);
}

template <int... L>
struct Lanes {};
template <int N, int... L>
struct Count : Count<N - 1, N - 1, L...> {};
template <int... L>
struct Count<0, L...> {
  typedef Lanes<L...> lanes;
};
typedef Count<VW>::lanes All;

// uninterleave puts the even lanes first.
template <int... L>
static inline V uninterleave(V v, Lanes<L...>) {
  return __builtin_shuffle(v, I{(L < kHalfVector ? 2 * L : 2 * (L - kHalfVector) + 1)...});
}

// swap_blocks exchanges the upper D lanes of each 2·D of a for the lower ones of b.
template <int D, int... L>
static inline void swap_blocks(V& a, V& b, Lanes<L...>) {
  const V low = __builtin_shuffle(a, b, I{(L & D ? VW + L - D : L)...});
  b = __builtin_shuffle(a, b, I{(L & D ? VW + L : L + D)...});
  a = low;
}

template <int D>
static inline void transpose(V (&m)[VW]) {
  if constexpr (D < VW) {
#pragma GCC unroll 16
    for (int i = 0; i < VW; ++i)
      if (!(i & D)) swap_blocks<D>(m[i], m[i + D], All{});
    transpose<2 * D>(m);
  }
}

// planar_tile computes MR vectors of outputs, each of PIXELS pixels, one or two.
template <int MR, int PIXELS>
static void planar_tile(const PlanarRow& p, int from) {
  V acc[MR];
  const V b = load(p.bias);
#pragma GCC unroll 16
  for (int m = 0; m < MR; ++m) acc[m] = b;
  const float* w = p.weights;
  for (int kh = 0; kh < 3; ++kh)
    for (int kw = 0; kw < 3; ++kw) {
      const float* a = p.rows[kh] + from + kw;
      for (int c = 0; c < p.channels; ++c, a += p.plane, w += VW) {
        const V weight = load(w);
#pragma GCC unroll 16
        for (int m = 0; m < MR; ++m) acc[m] += (PIXELS == 2 ? splat_pair(a + 2 * m) : splat(a[m])) * weight;
      }
    }
  if (p.leaky) {
#pragma GCC unroll 16
    for (int m = 0; m < MR; ++m) acc[m] = leaky(acc[m], p.slope);
  }
  float* out = p.out + from * p.ldo;
#pragma GCC unroll 16
  for (int m = 0; m < MR; ++m, out += PIXELS * p.ldo) {
    const V v = PIXELS == 2 ? uninterleave(acc[m], All{}) : acc[m];
    const bool last = from + PIXELS * (m + 1) > p.w;  // of an odd number
    if (p.valid * PIXELS == VW && (PIXELS == 1 || p.ldo == p.valid) && !last) {
      store(out, v);
      continue;
    }
    float lanes[VW];
    store(lanes, v);
    copy_lanes(out, lanes, p.valid);
    if (PIXELS == 2 && !last) copy_lanes(out + p.ldo, lanes + kHalfVector, p.valid);
  }
}

template <int PIXELS>
static void planar_row(const PlanarRow& p) {
  int from = 0;
  for (; from + 8 * PIXELS <= p.w; from += 8 * PIXELS) planar_tile<8, PIXELS>(p, from);
  for (; from + 4 * PIXELS <= p.w; from += 4 * PIXELS) planar_tile<4, PIXELS>(p, from);
  for (; from < p.w; from += PIXELS) planar_tile<1, PIXELS>(p, from);
}

static void planar(const PlanarRow& p) { p.pairs ? planar_row<2>(p) : planar_row<1>(p); }

// classes computes O outputs of as many pixels at a time as a vector has lanes: their channels are transposed, so that a lane is a pixel.
template <int O>
static void classes(const Classes& p) {
  for (int64_t q = 0; q < p.pixels; q += VW) {
    const int64_t n = p.pixels - q < VW ? p.pixels - q : VW;
    V acc[O];
#pragma GCC unroll 8
    for (int o = 0; o < O; ++o) acc[o] = splat(p.bias[o]);
    const float* w = p.weights;
    for (int c = 0; c < p.channels; c += VW) {
      const float* x = p.x + q * p.stride + c;
      V m[VW];
#pragma GCC unroll 16
      for (int i = 0; i < VW; ++i) m[i] = load(x + (i < n ? i : 0) * p.stride);
      transpose<1>(m);
#pragma GCC unroll 16
      for (int i = 0; i < VW; ++i, w += O)
#pragma GCC unroll 8
        for (int o = 0; o < O; ++o) acc[o] += m[i] * splat(w[o]);
    }
    if (p.leaky) {
#pragma GCC unroll 8
      for (int o = 0; o < O; ++o) acc[o] = leaky(acc[o], p.slope);
    }
#pragma GCC unroll 8
    for (int o = 0; o < O; ++o) scatter(p.out + q * p.ldo + o, p.ldo, static_cast<int>(n), acc[o]);
  }
}

template <int MAX, int... O>
struct ClassesOf : ClassesOf<MAX - 1, MAX, O...> {};
template <int... O>
struct ClassesOf<0, O...> {
  static constexpr void (*table[])(const Classes&) = {nullptr, classes<O>...};
};
