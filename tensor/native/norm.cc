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

}  // namespace

extern "C" void ns_norm(ns_engine* e, ns_batch_norm op, ns_shape s, int ystride, float* y, const float* x) {
  const int64_t total = pixels_of(s);
  const int c = s.c;
  const Kernels& k = narrow(e->k, c);
  const Chunks chunks(total, c);
  // Mean and squared deviations of each chunk, combined in double (Chan, Golub, LeVeque 1979): one pass over memory,
  // the second over a chunk finds it in the cache, and no cancellation.
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
  const Affine a(c, op);
  e->team.run(chunks.count, [&](int p, int) {
    const int64_t from = p * chunks.pixels;
    k.affine(y + from * ystride, x + from * s.stride, std::min(chunks.pixels, total - from), c, ystride, s.stride,
             a.scale.data(), a.shift.data(), op.slope);
  });
}

extern "C" void ns_norm_backward(ns_engine* e, ns_batch_norm op, ns_shape s, int dxstride, int dystride, float* dx,
                                 const float* dy, const float* x) {
  const int64_t total = pixels_of(s);
  const int c = s.c;
  const Kernels& k = narrow(e->k, c);
  const Chunks chunks(total, c);
  const Affine a(c, op);
  float* part = e->partial.get(static_cast<size_t>(chunks.count) * 2 * c);
  e->team.run(chunks.count, [&](int p, int) {
    const int64_t from = p * chunks.pixels;
    float* sum = part + static_cast<size_t>(p) * 2 * c;
    std::fill_n(sum, 2 * c, 0.0f);
    k.norm_sums(dy + from * dystride, x + from * s.stride, std::min(chunks.pixels, total - from), c, dystride,
                s.stride, a.scale.data(), a.shift.data(), op.mean, op.slope, sum, sum + c);
  });
  // dx = scale·(g - mean(g) - (x-mean)·mean(g·(x-mean))/variance), dgamma = Σ g·x̂, dbeta = Σ g
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
    k.norm_dx(dx + from * dxstride, dy + from * dystride, x + from * s.stride,
              std::min(chunks.pixels, total - from), c, dxstride, dystride, s.stride, a.scale.data(), a.shift.data(),
              op.mean, first.data(), second.data(), op.slope);
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
