// Winograd's F(4×4, 3×3): the one-dimensional transforms of six points 0, 1, -1, 2, -2, ∞ and what applies them to rows
// of tiles. Lavin, Gray 2016, "Fast algorithms for convolutional neural networks", CVPR, section 4.3.

// to_six is Bᵀd of the input.
static inline void to_six(const V (&d)[6], V (&t)[6]) {
  const V a = d[4] - d[2] * 4.0f, b = d[3] - d[1] * 4.0f, c = d[4] - d[2], e = (d[3] - d[1]) * 2.0f;
  t[0] = d[4] - d[2] * 5.0f + d[0] * 4.0f;
  t[1] = a + b;
  t[2] = a - b;
  t[3] = c + e;
  t[4] = c - e;
  t[5] = d[5] - d[3] * 5.0f + d[1] * 4.0f;
}

// to_four is Aᵀm of the products.
static inline void to_four(const V (&m)[6], V (&y)[4]) {
  const V s1 = m[1] + m[2], d1 = m[1] - m[2], s2 = m[3] + m[4], d2 = m[3] - m[4];
  y[0] = m[0] + s1 + s2;
  y[1] = d1 + d2 * 2.0f;
  y[2] = s1 + s2 * 4.0f;
  y[3] = d1 + d2 * 8.0f + m[5];
}

// from_four is Ay, the transpose of to_four: the gradient on its way back.
static inline void from_four(const V (&y)[4], V (&t)[6]) {
  const V even = y[0] + y[2], odd = y[1] + y[3], even2 = y[0] + y[2] * 4.0f, odd2 = (y[1] + y[3] * 4.0f) * 2.0f;
  t[0] = y[0];
  t[1] = even + odd;
  t[2] = even - odd;
  t[3] = even2 + odd2;
  t[4] = even2 - odd2;
  t[5] = y[3];
}

// from_three is Gg of a row of weights.
static inline void from_three(const V (&g)[3], V (&u)[6]) {
  const V even = (g[0] + g[2]) * (-1.0f / 6), odd = g[1] * (1.0f / 6);
  const V even2 = g[0] * (1.0f / 24) + g[2] * (1.0f / 6), odd2 = g[1] * (1.0f / 12);
  u[0] = g[0] * 0.25f;
  u[1] = even - odd;
  u[2] = even + odd;
  u[3] = even2 + odd2;
  u[4] = even2 - odd2;
  u[5] = g[2];
}

// to_three is Gᵀu, the transpose of from_three.
static inline void to_three(const V (&u)[6], V (&g)[3]) {
  const V s1 = u[1] + u[2], d1 = u[2] - u[1], s2 = u[3] + u[4], d2 = u[3] - u[4];
  g[0] = u[0] * 0.25f - s1 * (1.0f / 6) + s2 * (1.0f / 24);
  g[1] = d1 * (1.0f / 6) + d2 * (1.0f / 12);
  g[2] = (s2 - s1) * (1.0f / 6) + u[5];
}

template <bool MASKED>
static void winograd_input_of(const TileRow& r, float* out, ptrdiff_t position, float* scratch) {
  const int columns = kTile * r.tiles + 2, lanes = VW == kLanes ? kLanes : r.lanes;
  for (int l = 0; l < lanes; l += VW) {
    for (int c = 0; c < columns; ++c) {
      const int x = c - 1;
      V d[6] = {}, t[6];
      if (x >= 0 && x < r.w)
#pragma GCC unroll 6
        for (int i = 0; i < 6; ++i) {
          if (!r.rows[i]) continue;
          d[i] = load(r.rows[i] + x * r.stride + l);
          if (MASKED) d[i] = drop(d[i], r.index + static_cast<uint32_t>((i * r.w + x) * r.channels + l), r.mask);
        }
      to_six(d, t);
#pragma GCC unroll 6
      for (int i = 0; i < 6; ++i) store(scratch + (i * columns + c) * VW, t[i]);
    }
    for (int tile = 0; tile < r.tiles; ++tile)
#pragma GCC unroll 6
      for (int i = 0; i < 6; ++i) {
        V d[6], t[6];
#pragma GCC unroll 6
        for (int j = 0; j < 6; ++j) d[j] = load(scratch + (i * columns + kTile * tile + j) * VW);
        to_six(d, t);
#pragma GCC unroll 6
        for (int j = 0; j < 6; ++j) store(out + (6 * i + j) * position + tile * kLanes + l, t[j]);
      }
  }
}

static void winograd_input(const TileRow& r, float* out, ptrdiff_t position, float* scratch) {
  (r.mask.threshold ? winograd_input_of<true> : winograd_input_of<false>)(r, out, position, scratch);
}

static void winograd_output(const TileRow& r, const float* in, ptrdiff_t position, ptrdiff_t tile_step, int channels,
                            const float* bias, bool with_leaky, float slope) {
  for (int tile = 0; tile < r.tiles; ++tile) {
    const int columns = r.w - kTile * tile < kTile ? r.w - kTile * tile : kTile;
    for (int o = 0; o < channels; o += VW) {
      const float* m = in + tile * tile_step + o;
      V half[4][6];
#pragma GCC unroll 6
      for (int j = 0; j < 6; ++j) {
        V d[6], y[4];
#pragma GCC unroll 6
        for (int i = 0; i < 6; ++i) d[i] = load(m + (6 * i + j) * position);
        to_four(d, y);
#pragma GCC unroll 4
        for (int i = 0; i < 4; ++i) half[i][j] = y[i];
      }
      const V b = bias ? load(bias + o) : V{};
#pragma GCC unroll 4
      for (int i = 0; i < 4; ++i) {
        if (!r.out[i]) continue;
        V y[4];
        to_four(half[i], y);
        float* p = r.out[i] + kTile * tile * r.stride + o;
#pragma GCC unroll 4
        for (int j = 0; j < 4; ++j) {
          if (j >= columns) break;
          V v = y[j] + b;
          if (r.add) v += load(p + j * r.stride);
          if (with_leaky) v = leaky(v, slope);
          if (r.mask.threshold)
            v = drop(v, r.index + static_cast<uint32_t>((i * r.w + kTile * tile + j) * r.channels + o), r.mask);
          store(p + j * r.stride, v);
        }
      }
    }
  }
}

static void winograd_gradient(const TileRow& r, int channels, float* out, ptrdiff_t position, ptrdiff_t tile_step) {
  for (int tile = 0; tile < r.tiles; ++tile) {
    const int columns = r.w - kTile * tile < kTile ? r.w - kTile * tile : kTile;
    for (int o = 0; o < channels; o += VW) {
      V half[6][4];
#pragma GCC unroll 4
      for (int j = 0; j < 4; ++j) {
        V y[4], t[6];
#pragma GCC unroll 4
        for (int i = 0; i < 4; ++i)
          y[i] = j < columns && r.rows[i] ? load(r.rows[i] + (kTile * tile + j) * r.stride + o) : V{};
        from_four(y, t);
#pragma GCC unroll 6
        for (int i = 0; i < 6; ++i) half[i][j] = t[i];
      }
#pragma GCC unroll 6
      for (int i = 0; i < 6; ++i) {
        V t[6];
        from_four(half[i], t);
#pragma GCC unroll 6
        for (int j = 0; j < 6; ++j) store(out + (6 * i + j) * position + tile * tile_step + o, t[j]);
      }
    }
  }
}

static void winograd_weights(const float* taps, ptrdiff_t tap_step, float* out, ptrdiff_t position) {
  V half[6][3];
#pragma GCC unroll 3
  for (int j = 0; j < 3; ++j) {
    V g[3], u[6];
#pragma GCC unroll 3
    for (int i = 0; i < 3; ++i) g[i] = load(taps + (3 * i + j) * tap_step);
    from_three(g, u);
#pragma GCC unroll 6
    for (int i = 0; i < 6; ++i) half[i][j] = u[i];
  }
#pragma GCC unroll 6
  for (int i = 0; i < 6; ++i) {
    V u[6];
    from_three(half[i], u);
#pragma GCC unroll 6
    for (int j = 0; j < 6; ++j) store(out + (6 * i + j) * position, u[j]);
  }
}

static void winograd_taps(float* sums, int64_t n) {
  for (int64_t at = 0; at < n; at += VW) {
    V half[3][6];
#pragma GCC unroll 6
    for (int j = 0; j < 6; ++j) {
      V u[6], g[3];
#pragma GCC unroll 6
      for (int i = 0; i < 6; ++i) u[i] = load(sums + (6 * i + j) * n + at);
      to_three(u, g);
#pragma GCC unroll 3
      for (int i = 0; i < 3; ++i) half[i][j] = g[i];
    }
#pragma GCC unroll 3
    for (int i = 0; i < 3; ++i) {
      V g[3];
      to_three(half[i], g);
#pragma GCC unroll 3
      for (int j = 0; j < 3; ++j) store(sums + (3 * i + j) * n + at, g[j]);
    }
  }
}
