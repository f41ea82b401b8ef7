// Batch normalisation with LeakyReLU, and the per-channel means that other layers need.
#include <algorithm>
#include <cmath>
#include <vector>

#include "engine.h"

using namespace nextslice;

namespace {

// Pixels are cut into chunks of 64 KB, which stay in the cache from the mean to the deviations from it; into smaller ones
// where there would be fewer than kLeastChunks to share out; but into none of less than kLeastPixels, whose sums would cost as
// much as they do. None of it depends on the number of threads, so that sums do not either.
constexpr int64_t kChunkFloats = 16 * 1024, kLeastChunks = 12, kLeastPixels = 16;

struct Chunks {
  int64_t pixels;
  int count;
  Chunks(int64_t total, int c)
      : pixels(std::max(kLeastPixels, std::min(kChunkFloats / std::max(1, c), (total + kLeastChunks - 1) / kLeastChunks))) {
    count = static_cast<int>((total + pixels - 1) / pixels);
  }
};

int64_t pixels_of(const ns_shape& s) { return static_cast<int64_t>(s.n) * s.h * s.w; }

// Affine has the coefficients of the affine form of normalisation: y = leaky(scale·x + shift).
struct Affine {
  std::vector<float> scale, shift;
  Affine(int c, const ns_batch_norm& op) : scale(c), shift(c) {
    for (int i = 0; i < c; ++i) {
      const double a = op.gamma[i] / std::sqrt(static_cast<double>(op.variance[i]) + op.eps);
      scale[i] = static_cast<float>(a);
      shift[i] = static_cast<float>(op.beta[i] - op.mean[i] * a);
    }
  }
};

// statistics computes op.mean and op.variance. Mean and squared deviations of each chunk are combined in double (Chan, Golub,
// LeVeque 1979): one pass over memory, the second over a chunk finds it in the cache, and no cancellation.
void statistics(ns_engine* e, const ns_batch_norm& op, const ns_shape& s, const Chunks& chunks, const float* x) {
  const int64_t total = pixels_of(s);
  const int c = s.c;
  const Kernels& k = narrow(e->k, c);
  float* part = e->partial.get(static_cast<size_t>(chunks.count) * 2 * c);
  e->team.run(chunks.count, [&](int p, int) {
    const int64_t from = p * chunks.pixels, n = std::min(chunks.pixels, total - from);
    float *m = part + static_cast<size_t>(p) * 2 * c, *sq = m + c;
    std::fill_n(m, 2 * c, 0.0f);
    k.channel_sums(x + from * s.stride, n, c, s.stride, m);
    for (int i = 0; i < c; ++i) m[i] /= static_cast<float>(n);
    k.channel_squares(x + from * s.stride, n, c, s.stride, m, sq);
  });
  for (int i = 0; i < c; ++i) {
    double n = 0, m = 0, sq = 0;
    for (int p = 0; p < chunks.count; ++p) {
      const double pixels = static_cast<double>(std::min(chunks.pixels, total - p * chunks.pixels));
      const double d = part[static_cast<size_t>(p) * 2 * c + i] - m;
      m += d * pixels / (n + pixels);
      sq += part[static_cast<size_t>(p) * 2 * c + c + i] + d * d * n * pixels / (n + pixels);
      n += pixels;
    }
    op.mean[i] = static_cast<float>(m);
    op.variance[i] = static_cast<float>(sq / n);
  }
}

// backward computes the gradients of a normalisation:
//   dx = scale·(g - mean(g) - (x-mean)·mean(g·(x-mean))/variance), dgamma = Σ g·x̂, dbeta = Σ g
// sums(first pixel, pixels, scale, shift, Σ g, Σ g·(x-mean)) sums up a chunk, dx(first pixel, pixels, scale, shift, mean(g), …) writes it.
template <typename Sums, typename Dx>
void backward(ns_engine* e, const ns_batch_norm& op, const ns_shape& s, Sums sums, Dx dx) {
  const int64_t total = pixels_of(s);
  const int c = s.c;
  const Chunks chunks(total, c);
  const Affine a(c, op);
  float* part = e->partial.get(static_cast<size_t>(chunks.count) * 2 * c);
  e->team.run(chunks.count, [&](int p, int) {
    const int64_t from = p * chunks.pixels;
    float* sum = part + static_cast<size_t>(p) * 2 * c;
    std::fill_n(sum, 2 * c, 0.0f);
    sums(from, std::min(chunks.pixels, total - from), a.scale.data(), a.shift.data(), sum, sum + c);
  });
  std::vector<float> first(c), second(c);
  for (int i = 0; i < c; ++i) {
    double sum = 0, dot = 0;
    for (int p = 0; p < chunks.count; ++p) {
      sum += part[static_cast<size_t>(p) * 2 * c + i];
      dot += part[static_cast<size_t>(p) * 2 * c + c + i];
    }
    const double var = static_cast<double>(op.variance[i]) + op.eps, n = static_cast<double>(total);
    op.dgamma[i] = static_cast<float>(dot / std::sqrt(var));
    op.dbeta[i] = static_cast<float>(sum);
    first[i] = static_cast<float>(sum / n);
    second[i] = static_cast<float>(dot / n / var);
  }
  e->team.run(chunks.count, [&](int p, int) {
    const int64_t from = p * chunks.pixels;
    dx(from, std::min(chunks.pixels, total - from), a.scale.data(), a.shift.data(), first.data(), second.data());
  });
}

// each_row calls f(row, first column, columns) for the rows that pixels from … from + n lie in.
template <typename F>
void each_row(const ns_shape& s, int64_t from, int64_t n, F f) {
  for (int64_t end = from + n; from < end;) {
    const int64_t row = from / s.w;
    const int first = static_cast<int>(from % s.w), count = static_cast<int>(std::min<int64_t>(s.w - first, end - from));
    f(row, first, count);
    from += count;
  }
}

// Windows are those of a 2×2 max pooling of images of shape s, with the gradients of their maxima.
struct Windows {
  const ns_shape& s;
  const float* dy;
  const uint8_t* argmax;
  // of returns those of row r of all images' rows.
  PooledRow of(int64_t r) const {
    const int64_t item = r / s.h, line = r % s.h;
    if (line >= s.h / 2 * 2) return {dy, argmax, 0, 0};
    const ptrdiff_t at = (item * (s.h / 2) + line / 2) * (s.w / 2) * s.c;
    return {dy + at, argmax + at, static_cast<int>(line % 2 * 2), s.w / 2};
  }
};

}  // namespace

extern "C" void ns_norm(ns_engine* e, ns_batch_norm op, ns_shape s, int ystride, float* y, const float* x) {
  const int64_t total = pixels_of(s);
  const int c = s.c;
  const Kernels& k = narrow(e->k, c);
  const Chunks chunks(total, c);
  statistics(e, op, s, chunks, x);
  const Affine a(c, op);
  e->team.run(chunks.count, [&](int p, int) {
    const int64_t from = p * chunks.pixels;
    k.affine(y + from * ystride, x + from * s.stride, std::min(chunks.pixels, total - from), c, ystride, s.stride,
             a.scale.data(), a.shift.data(), op.slope);
  });
}

extern "C" void ns_norm_pool(ns_engine* e, ns_batch_norm op, ns_shape s, float* y, uint8_t* argmax, const float* x) {
  const Kernels& k = narrow(e->k, s.c);
  statistics(e, op, s, Chunks(pixels_of(s), s.c), x);
  const Affine a(s.c, op);
  const int h = s.h / 2, w = s.w / 2;
  const ptrdiff_t row = static_cast<ptrdiff_t>(w) * s.c;
  e->team.run(s.n * h, [&](int r, int) {
    const float* first = x + (static_cast<ptrdiff_t>(r / h) * s.h + 2 * (r % h)) * s.w * s.stride;
    k.affine_maxpool(y + r * row, argmax + r * row, first, first + static_cast<ptrdiff_t>(s.w) * s.stride, w, s.c, s.stride,
                     a.scale.data(), a.shift.data(), op.slope);
  });
}

extern "C" void ns_norm_backward(ns_engine* e, ns_batch_norm op, ns_shape s, int dxstride, int dystride, float* dx,
                                 const float* dy, const float* x) {
  const Kernels& k = narrow(e->k, s.c);
  backward(
      e, op, s,
      [&](int64_t from, int64_t n, const float* scale, const float* shift, float* sum, float* dot) {
        k.norm_sums(dy + from * dystride, x + from * s.stride, n, s.c, dystride, s.stride, scale, shift, op.mean, op.slope,
                    sum, dot);
      },
      [&](int64_t from, int64_t n, const float* scale, const float* shift, const float* first, const float* second) {
        k.norm_dx(dx + from * dxstride, dy + from * dystride, x + from * s.stride, n, s.c, dxstride, dystride, s.stride,
                  scale, shift, op.mean, first, second, op.slope);
      });
}

extern "C" void ns_norm_pool_backward(ns_engine* e, ns_batch_norm op, ns_shape s, int dxstride, float* dx, const float* dy,
                                      const uint8_t* argmax, const float* x) {
  const Kernels& k = narrow(e->k, s.c);
  const Windows windows{s, dy, argmax};
  backward(
      e, op, s,
      [&](int64_t from, int64_t n, const float* scale, const float* shift, float* sum, float* dot) {
        each_row(s, from, n, [&](int64_t r, int first, int count) {
          k.pooled_sums(windows.of(r), x + r * s.w * s.stride, first, count, s.c, s.stride, scale, shift, op.mean, op.slope,
                        sum, dot);
        });
      },
      [&](int64_t from, int64_t n, const float* scale, const float* shift, const float* mean, const float* slope) {
        each_row(s, from, n, [&](int64_t r, int first, int count) {
          k.pooled_dx(dx + r * s.w * dxstride, windows.of(r), x + r * s.w * s.stride, first, count, s.c, dxstride, s.stride,
                      scale, shift, op.mean, mean, slope, op.slope);
        });
      });
}

extern "C" void ns_mean(ns_engine* e, ns_shape s, float* y, const float* x) {
  const int64_t pixels = static_cast<int64_t>(s.h) * s.w;
  e->team.run(s.n, [&](int n, int) {
    const Chunks chunks(pixels, s.c);
    std::vector<float> part(s.c);
    std::vector<double> sum(s.c);
    for (int p = 0; p < chunks.count; ++p) {
      const int64_t from = p * chunks.pixels;
      std::fill(part.begin(), part.end(), 0.0f);
      e->k.channel_sums(x + (n * pixels + from) * s.stride, std::min(chunks.pixels, pixels - from), s.c, s.stride,
                        part.data());
      for (int i = 0; i < s.c; ++i) sum[i] += part[i];
    }
    for (int i = 0; i < s.c; ++i) y[static_cast<ptrdiff_t>(n) * s.c + i] = static_cast<float>(sum[i] / pixels);
  });
}

extern "C" void ns_mean_backward(ns_engine* e, ns_shape s, float* dx, const float* dy) {
  const int64_t pixels = static_cast<int64_t>(s.h) * s.w;
  e->team.run(s.n * s.h, [&](int row, int) {
    const float* g = dy + static_cast<ptrdiff_t>(row / s.h) * s.c;
    std::vector<float> share(g, g + s.c);
    for (float& v : share) v /= static_cast<float>(pixels);
    for (int w = 0; w < s.w; ++w) e->k.add(dx + (static_cast<ptrdiff_t>(row) * s.w + w) * s.stride, share.data(), s.c);
  });
}
