// Max pooling of 2×2 windows, alone and behind a normalisation, and the ways back. Included by kernels.inc.h.

typedef uint8_t B __attribute__((vector_size(VW), aligned(1), may_alias));

// pooled_gradient is what of the gradients of a window's maxima belongs to the pixel that argmax calls k; of VW channels.
static inline V pooled_gradient(const float* dy, const uint8_t* argmax, int k) {
  I at;
  for (int l = 0; l < VW; ++l) at[l] = argmax[l];
  return at == k ? load(dy) : V{};
}

static void pooled_sums(const PooledRow& g, const float* x, int first, int count, int c, ptrdiff_t xstride,
                        const float* scale, const float* shift, const float* mean, float slope, float* sum, float* dot) {
  const int end = first + count < 2 * g.windows ? first + count : 2 * g.windows;
  each(
      c,
      [&](int i) {
        const V a = load(scale + i), b = load(shift + i), mu = load(mean + i);
        V s = load(sum + i), d = load(dot + i);
        for (int q = first; q < end; ++q) {
          const ptrdiff_t w = static_cast<ptrdiff_t>(q / 2) * c + i;
          V v = load(x + q * xstride + i), dy = pooled_gradient(g.dy + w, g.argmax + w, g.at + q % 2);
          dy = v * a + b > 0 ? dy : dy * slope;
          s += dy;
          d += dy * (v - mu);
        }
        store(sum + i, s);
        store(dot + i, d);
      },
      [&](int i) {
        float s = sum[i], d = dot[i];
        for (int q = first; q < end; ++q) {
          const ptrdiff_t w = static_cast<ptrdiff_t>(q / 2) * c + i;
          float v = x[q * xstride + i], dy = g.argmax[w] == g.at + q % 2 ? g.dy[w] : 0;
          if (!(v * scale[i] + shift[i] > 0)) dy *= slope;
          s += dy;
          d += dy * (v - mean[i]);
        }
        sum[i] = s;
        dot[i] = d;
      });
}

static void pooled_dx(float* dx, const PooledRow& g, const float* x, int first, int count, int c, ptrdiff_t dxstride,
                      ptrdiff_t xstride, const float* scale, const float* shift, const float* mean, const float* a,
                      const float* b, float slope) {
  for (int q = first; q < first + count; ++q) {
    const float* px = x + q * xstride;
    float* pd = dx + q * dxstride;
    const bool inside = q < 2 * g.windows;
    const ptrdiff_t w = inside ? static_cast<ptrdiff_t>(q / 2) * c : 0;
    const int k = g.at + q % 2;
    each(
        c,
        [&](int i) {
          V v = load(px + i), s = load(scale + i), dy = inside ? pooled_gradient(g.dy + w + i, g.argmax + w + i, k) : V{};
          dy = v * s + load(shift + i) > 0 ? dy : dy * slope;
          store(pd + i, s * (dy - load(a + i) - (v - load(mean + i)) * load(b + i)));
        },
        [&](int i) {
          float v = px[i], dy = inside && g.argmax[w + i] == k ? g.dy[w + i] : 0;
          if (!(v * scale[i] + shift[i] > 0)) dy *= slope;
          pd[i] = scale[i] * (dy - a[i] - (v - mean[i]) * b[i]);
        });
  }
}

// pool_row is one output row of a 2×2 max pooling of vector(pixel, channel) or scalar(pixel, channel); last(y, offset) ends a vector of it, last1 a scalar.
template <typename Vector, typename Scalar, typename Last, typename Last1>
static inline void pool_row(float* y, uint8_t* argmax, const float* row0, const float* row1, int w, int c, ptrdiff_t stride,
                            Vector vector, Scalar scalar, Last last, Last1 last1) {
  for (int q = 0, from = 0; q < w; ++q, from += c, y += c, argmax += c) {
    const float *a = row0 + 2 * q * stride, *b = a + stride, *d = row1 + 2 * q * stride, *e = d + stride;
    each(
        c,
        [&](int i) {
          V best = vector(a, i);
          I at = I{};
          V v = vector(b, i);
          I more = v > best;
          best = more ? v : best;
          at = more ? I{} + 1 : at;
          v = vector(d, i);
          more = v > best;
          best = more ? v : best;
          at = more ? I{} + 2 : at;
          v = vector(e, i);
          more = v > best;
          best = more ? v : best;
          at = more ? I{} + 3 : at;
          store(y + i, last(best, from + i));
          *reinterpret_cast<B*>(argmax + i) = __builtin_convertvector(at, B);
        },
        [&](int i) {
          float best = scalar(a, i);
          uint8_t at = 0;
          const float* others[] = {b, d, e};
          for (int k = 0; k < 3; ++k)
            if (const float v = scalar(others[k], i); v > best) best = v, at = k + 1;
          y[i] = last1(best, from + i);
          argmax[i] = at;
        });
  }
}

static void maxpool(float* y, uint8_t* argmax, const float* row0, const float* row1, int w, int c, ptrdiff_t stride,
                    const ns_mask& mask, uint32_t index) {
  pool_row(
      y, argmax, row0, row1, w, c, stride, [](const float* x, int i) { return load(x + i); },
      [](const float* x, int i) { return x[i]; },
      [&](V v, int i) { return mask.threshold ? drop(v, numbers(index + i), mask) : v; },
      [&](float v, int i) { return mask.threshold ? drop1(v, index + i, mask) : v; });
}

static void affine_maxpool(float* y, uint8_t* argmax, const float* row0, const float* row1, int w, int c, ptrdiff_t stride,
                           const float* scale, const float* shift, float slope) {
  pool_row(
      y, argmax, row0, row1, w, c, stride,
      [&](const float* x, int i) { return leaky(load(x + i) * load(scale + i) + load(shift + i), slope); },
      [&](const float* x, int i) {
        const float z = x[i] * scale[i] + shift[i];
        return z > 0 ? z : z * slope;
      },
      [](V v, int) { return v; }, [](float v, int) { return v; });
}

static void maxpool_backward(float* dx0, float* dx1, const float* dy, const uint8_t* argmax, const float* skip0,
                             const float* skip1, int w, int c, ptrdiff_t dxstride, ptrdiff_t skipstride,
                             const ns_mask& mask, uint32_t index) {
  for (int q = 0; q < w; ++q, index += c, dy += c, argmax += c) {
    float *left = dx0 + 2 * q * dxstride, *under = dx1 + 2 * q * dxstride;
    float* dx[4] = {left, left + dxstride, under, under + dxstride};
    const float* skip[4] = {};
    if (skip0) {
      skip[0] = skip0 + 2 * q * skipstride;
      skip[1] = skip[0] + skipstride;
      skip[2] = skip1 + 2 * q * skipstride;
      skip[3] = skip[2] + skipstride;
    }
    each(
        c,
        [&](int i) {
          V g = load(dy + i);
          if (mask.threshold) g = drop(g, numbers(index + i), mask);
          I at;
          for (int l = 0; l < VW; ++l) at[l] = argmax[i + l];
          for (int k = 0; k < 4; ++k) {
            V r = at == k ? g : V{};
            if (skip0) r += load(skip[k] + i);
            store(dx[k] + i, r);
          }
        },
        [&](int i) {
          float g = mask.threshold ? drop1(dy[i], index + i, mask) : dy[i];
          for (int k = 0; k < 4; ++k) dx[k][i] = (argmax[i] == k ? g : 0.0f) + (skip0 ? skip[k][i] : 0.0f);
        });
  }
}
