// Convolutions at the ends of a network, which have too few channels to fill vectors with them: pixels do.
#include <algorithm>
#include <vector>

#include "conv.h"

using namespace nextslice;

namespace {

// Rows of a part, whose packed input then stays in the first-level cache or near it.
constexpr int kPlanarRows = 8;
// Pixels of a part of a convolution to classes: 64 KB of 16 channels.
constexpr int64_t kClassPixels = 1024;

}  // namespace

bool nextslice::planar_fits(const ns_engine* e, const ns_shape& s, int k, int o) {
  return k == 3 && (s.c == 1 || (s.c < kPlanarChannels && 2 * o <= e->k.width));
}

void nextslice::planar(ns_engine* e, const ns_shape& s, const float* px, const Source& w, int o, const float* bias, bool leaky, float slope,
                       float* y, int ystride) {
  const Kernels& k = e->k;
  const int vw = k.width, panels = ceil_div(o, vw), taps = kTaps * s.c;
  const bool pairs = 2 * o <= vw;
  std::vector<float> weights(static_cast<size_t>(panels) * taps * vw), padded(static_cast<size_t>(panels) * vw);
  for (int p = 0; p < panels; ++p)
    for (int lane = 0; lane < vw; ++lane) {
      const int out = p * vw + (pairs ? lane / 2 : lane);
      if (out >= o) continue;
      if (bias) padded[p * vw + lane] = bias[out];
      for (int t = 0; t < taps; ++t)
        weights[(static_cast<size_t>(p) * taps + t) * vw + lane] = w.at[t / s.c * w.tap_step + t % s.c * w.in_step + out * w.out_step];
    }
  const ptrdiff_t plane = s.w + 3, row = plane * s.c;  // a border of one pixel, and the second pixel of a pair beyond
  const int parts = ceil_div(s.h, kPlanarRows);
  e->team.run(parts * s.n, [&](int part, int thread) {
    const int item = part / parts, from = part % parts * kPlanarRows, to = std::min(s.h, from + kPlanarRows);
    float* in = e->local[thread].get((to - from + 2) * row);
    std::fill_n(in, (to - from + 2) * row, 0.0f);
    for (int r = std::max(0, from - 1); r < std::min(s.h, to + 1); ++r) {
      const float* src = px + (static_cast<ptrdiff_t>(item) * s.h + r) * s.w * s.stride;
      float* dst = in + (r - from + 1) * row + 1;
      for (int c = 0; c < s.c; ++c, dst += plane)
        for (int x = 0; x < s.w; ++x) dst[x] = src[static_cast<ptrdiff_t>(x) * s.stride + c];
    }
    for (int p = 0; p < panels; ++p)
      for (int r = from; r < to; ++r) {
        const float* first = in + (r - from) * row;
        k.planar({{first, first + row, first + 2 * row}, plane, s.c, weights.data() + static_cast<size_t>(p) * taps * vw, padded.data() + p * vw,
                  leaky, slope, y + (static_cast<ptrdiff_t>(item) * s.h + r) * s.w * ystride + p * vw, ystride, std::min(o - p * vw, vw), s.w, pairs});
      }
  });
}

bool nextslice::classes_fit(const ns_engine* e, const ns_shape& s, int k, int o) { return k == 1 && o <= e->k.width / 2 && s.c % e->k.width == 0; }

void nextslice::classes(ns_engine* e, const ns_shape& s, const float* px, const float* w, int o, const float* bias, bool leaky, float slope,
                        float* y, int ystride) {
  const int64_t pixels = static_cast<int64_t>(s.n) * s.h * s.w;
  const std::vector<float> none(o);
  e->team.run(static_cast<int>((pixels + kClassPixels - 1) / kClassPixels), [&](int part, int) {
    const int64_t from = part * kClassPixels;
    e->k.classes[o]({px + from * s.stride, s.stride, std::min(kClassPixels, pixels - from), s.c, w, bias ? bias : none.data(), leaky, slope,
                     y + from * ystride, ystride});
  });
}
