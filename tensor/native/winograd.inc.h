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

// OPAQUE hides from the compiler where a pointer comes from. It would keep the addresses of all 36 positions, on the stack.
#define OPAQUE(pointer) __asm__("" : "+r"(pointer))

// input_row is winograd_input for rows that are all inside the image, WHOLE, or not, with dropout of the input or without.
template <bool WHOLE, bool MASKED>
static void input_row(const TileRow& r, float* out, ptrdiff_t position, float* scratch) {
  const int tiles = r.tiles, w = r.w, columns = kTile * tiles + 2, lanes = VW == kLanes ? kLanes : r.lanes;
  const ptrdiff_t stride = r.stride, row = w * stride;
  const ns_mask mask = r.mask;
  const uint32_t line = static_cast<uint32_t>(w) * r.channels, pixel = r.channels;
  const float* const rows[6] = {r.rows[0], r.rows[1], r.rows[2], r.rows[3], r.rows[4], r.rows[5]};
  for (int l = 0; l < lanes; l += VW) {
    U number = numbers(r.index + l - pixel);  // of row 0 in column c
    for (int c = 0; c < columns; ++c, number += pixel) {
      const int x = c - 1;
      V d[6] = {}, t[6];
      if (x >= 0 && x < w) {
        const float* first = WHOLE ? rows[0] + x * stride + l : nullptr;
        OPAQUE(first);
#pragma GCC unroll 6
        for (int i = 0; i < 6; ++i) {
          if (!WHOLE && !rows[i]) continue;
          d[i] = load(WHOLE ? first + i * row : rows[i] + x * stride + l);
          if (MASKED) d[i] = drop(d[i], number + i * line, mask);
        }
      }
      to_six(d, t);
      float* to = scratch + c * VW;
      OPAQUE(to);
#pragma GCC unroll 6
      for (int i = 0; i < 6; ++i) store(to + i * columns * VW, t[i]);
    }
    for (int tile = 0; tile < tiles; ++tile) {
      const float* from = scratch + kTile * tile * VW;
      float* to = out + tile * kLanes + l;
#pragma GCC unroll 6
      for (int i = 0; i < 6; ++i, from += columns * VW, to += 6 * position) {
        V d[6], t[6];
#pragma GCC unroll 6
        for (int j = 0; j < 6; ++j) d[j] = load(from + j * VW);
        to_six(d, t);
        OPAQUE(to);
#pragma GCC unroll 6
        for (int j = 0; j < 6; ++j) store(to + j * position, t[j]);
      }
    }
  }
}

static void winograd_input(const TileRow& r, float* out, ptrdiff_t position, float* scratch) {
  bool whole = true;
  for (const float* row : r.rows) whole = whole && row;
  auto* run = r.mask.threshold ? (whole ? input_row<true, true> : input_row<false, true>)
                               : (whole ? input_row<true, false> : input_row<false, false>);
  run(r, out, position, scratch);
}

// output_tile transforms the products m of a tile back and stores finish(sum, place, row, column) for each of its outputs;
// WHOLE says that all 16 are inside the image.
template <bool WHOLE, typename Finish>
static inline void output_tile(const float* m, ptrdiff_t position, float* const (&out)[4], ptrdiff_t offset,
                               ptrdiff_t stride, int columns, Finish finish) {
  V half[4][6];
#pragma GCC unroll 6
  for (int j = 0; j < 6; ++j, m += position) {
    V d[6], y[4];
    OPAQUE(m);
#pragma GCC unroll 6
    for (int i = 0; i < 6; ++i) d[i] = load(m + 6 * i * position);
    to_four(d, y);
#pragma GCC unroll 4
    for (int i = 0; i < 4; ++i) half[i][j] = y[i];
  }
#pragma GCC unroll 4
  for (int i = 0; i < 4; ++i) {
    if (!WHOLE && !out[i]) continue;
    V y[4];
    to_four(half[i], y);
    float* p = out[i] + offset;
#pragma GCC unroll 4
    for (int j = 0; j < 4; ++j, p += stride)
      if (WHOLE || j < columns) store(p, finish(y[j], p, i, j));
  }
}

template <typename Finish>
static inline void output_row(const TileRow& r, const float* in, ptrdiff_t position, ptrdiff_t tile_step, int channels,
                              Finish finish) {
  float* const out[4] = {r.out[0], r.out[1], r.out[2], r.out[3]};
  const int tiles = r.tiles, w = r.w;
  const ptrdiff_t stride = r.stride;
  for (int tile = 0; tile < tiles; ++tile) {
    const int x = kTile * tile, columns = w - x < kTile ? w - x : kTile;
    const bool whole = columns == kTile && out[3];
    for (int o = 0; o < channels; o += VW) {
      const float* m = in + tile * tile_step + o;
      auto at = [&](V v, const float* p, int i, int j) { return finish(v, p, i, x + j, o); };
      if (whole)
        output_tile<true>(m, position, out, x * stride + o, stride, columns, at);
      else
        output_tile<false>(m, position, out, x * stride + o, stride, columns, at);
    }
  }
}

static void winograd_output(const TileRow& r, const float* in, ptrdiff_t position, ptrdiff_t tile_step, int channels,
                            const float* bias, bool with_leaky, float slope) {
  auto row = [&](auto finish) { output_row(r, in, position, tile_step, channels, finish); };
  const float zeros[VW] = {}, *b = bias ? bias : zeros;
  const ptrdiff_t step = bias ? 1 : 0;
  if (r.mask.threshold) {
    const ns_mask mask = r.mask;
    const uint32_t index = r.index, line = static_cast<uint32_t>(r.w) * r.channels, pixel = r.channels;
    row([=](V v, const float*, int i, int x, int o) { return drop(v + load(b + o * step), numbers(index + i * line + x * pixel + o), mask); });
  } else if (r.add) {
    const float negative = with_leaky ? slope : 1.0f;
    row([=](V v, const float* p, int, int, int o) { return leaky(v + load(b + o * step) + load(p), negative); });
  } else if (with_leaky) {
    row([=](V v, const float*, int, int, int o) { return leaky(v + load(b + o * step), slope); });
  } else {
    row([=](V v, const float*, int, int, int o) { return v + load(b + o * step); });
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
      float* to = out + tile * tile_step + o;
#pragma GCC unroll 6
      for (int i = 0; i < 6; ++i, to += 6 * position) {
        V t[6];
        from_four(half[i], t);
        OPAQUE(to);
#pragma GCC unroll 6
        for (int j = 0; j < 6; ++j) store(to + j * position, t[j]);
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
  for (int i = 0; i < 6; ++i, out += 6 * position) {
    V u[6];
    from_three(half[i], u);
    OPAQUE(out);
#pragma GCC unroll 6
    for (int j = 0; j < 6; ++j) store(out + j * position, u[j]);
  }
}

static void winograd_taps(float* sums, int64_t n) {
  for (int64_t at = 0; at < n; at += VW) {
    V half[3][6];
    const float* from = sums + at;
#pragma GCC unroll 6
    for (int j = 0; j < 6; ++j, from += n) {
      V u[6], g[3];
      OPAQUE(from);
#pragma GCC unroll 6
      for (int i = 0; i < 6; ++i) u[i] = load(from + 6 * i * n);
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
