// Pooling, dropout, the loss and the optimiser.
#include <algorithm>
#include <cmath>
#include <vector>

#include "engine.h"

using namespace nextslice;

// Pixels of a part of softmax and entropy: so many that the time to share parts out does not count.
static constexpr int64_t kChunkPixels = 4096;

extern "C" void ns_maxpool(ns_engine* e, ns_shape s, ns_mask mask, float* y, uint8_t* argmax, const float* x) {
  const int h = s.h / 2, w = s.w / 2;
  const ptrdiff_t row = static_cast<ptrdiff_t>(w) * s.c;
  e->team.run(s.n * h, [&](int r, int) {
    const float* first = x + (static_cast<ptrdiff_t>(r / h) * s.h + 2 * (r % h)) * s.w * s.stride;
    e->k.maxpool(y + r * row, argmax + r * row, first, first + static_cast<ptrdiff_t>(s.w) * s.stride, w, s.c, s.stride,
                 mask, static_cast<uint32_t>(r * row) - static_cast<uint32_t>(r / h) * mask.period);
  });
}

extern "C" void ns_maxpool_backward(ns_engine* e, ns_shape s, int skipstride, ns_mask mask, float* dx,
                                    const float* dy, const uint8_t* argmax, const float* skip) {
  const int h = s.h / 2, w = s.w / 2, rows = (s.h + 1) / 2;
  const ptrdiff_t pooled = static_cast<ptrdiff_t>(w) * s.c;
  e->team.run(s.n * rows, [&](int part, int) {
    const int item = part / rows, r = part % rows;
    const ptrdiff_t first = (static_cast<ptrdiff_t>(item) * s.h + 2 * r) * s.w;
    float* d = dx + first * s.stride;
    const float* k = skip ? skip + first * skipstride : nullptr;
    // A row or column that the pooling dropped gets the skip alone.
    auto dropped = [&](int line, int from) {
      for (int q = from; q < s.w; ++q) {
        float* to = d + (static_cast<ptrdiff_t>(line) * s.w + q) * s.stride;
        if (k)
          std::copy_n(k + (static_cast<ptrdiff_t>(line) * s.w + q) * skipstride, s.c, to);
        else
          std::fill_n(to, s.c, 0.0f);
      }
    };
    if (r >= h) {
      dropped(0, 0);
      return;
    }
    const ptrdiff_t index = (static_cast<ptrdiff_t>(item) * h + r) * pooled;
    e->k.maxpool_backward(d, d + static_cast<ptrdiff_t>(s.w) * s.stride, dy + index, argmax + index, k,
                          k ? k + static_cast<ptrdiff_t>(s.w) * skipstride : nullptr, w, s.c, s.stride, skipstride,
                          mask, static_cast<uint32_t>(index) - static_cast<uint32_t>(item) * mask.period);
    if (s.w % 2) dropped(0, s.w - 1), dropped(1, s.w - 1);
  });
}

extern "C" void ns_softmax(ns_engine* e, int64_t pixels, int k, int pstride, int xstride, float* p, const float* x) {
  const int64_t chunk = kChunkPixels;
  e->team.run(static_cast<int>((pixels + chunk - 1) / chunk), [&](int c, int) {
    const int64_t from = c * chunk;
    e->k.softmax(p + from * pstride, x + from * xstride, std::min(chunk, pixels - from), k, pstride, xstride);
  });
}

extern "C" void ns_entropy(ns_engine* e, int64_t pixels, int k, int pstride, float* h, const float* p) {
  const int64_t chunk = kChunkPixels;
  e->team.run(static_cast<int>((pixels + chunk - 1) / chunk), [&](int c, int) {
    const int64_t from = c * chunk;
    e->k.entropy(h + from, p + from * pstride, std::min(chunk, pixels - from), k, pstride);
  });
}

namespace {

// Sums are what the loss needs of some pixels: Σ weighted cross-entropy, Σ weights, and per class Σ p·t, Σ p, Σ t, one after the
// other in a row of size(k) doubles.
struct Sums {
  double *ce, *weight, *both, *p, *t;
  Sums(double* row, int k) : ce(row), weight(row + 1), both(row + 2), p(row + 2 + k), t(row + 2 + 2 * k) {}
  static size_t size(int k) { return 2 + 3 * static_cast<size_t>(k); }
};


// Merged are the classes of one item that nobody has looked for, and the background: of a pixel of target 0 it is not known which of them
// it is of.
struct Merged {
  const uint8_t* classes = nullptr;  // [k], NULL if there are none
  int k = 0, counted;                // counted: foreground classes that are not merged

  Merged(const ns_loss_op& op, int n, int k) : k(k), counted(k - 1) {
    if (!op.merged) return;
    const uint8_t* of_item = op.merged + static_cast<ptrdiff_t>(n) * k;
    for (int j = 1; j < k; ++j) counted -= of_item[j] != 0;
    if (counted < k - 1) classes = of_item;
  }
  bool has(int j) const { return classes && classes[j]; }
  // open: whether it is not known of a pixel of target t whether it is of class j.
  bool open(int t, int j) const { return classes && t == 0 && (j == 0 || classes[j]); }
  // nats returns -ln of the sum of the probabilities of these classes, from the logits.
  double nats(const float* z) const {
    const float top = *std::max_element(z, z + k), own = top_of(z);
    double all = 0, some = 0;
    for (int j = 0; j < k; ++j) {
      all += std::exp(static_cast<double>(z[j]) - top);
      if (open(0, j)) some += std::exp(static_cast<double>(z[j]) - own);
    }
    return top + std::log(all) - own - std::log(some);
  }
  // among writes their probabilities among each other, 0 for the others.
  void among(const float* z, float* q) const {
    const float own = top_of(z);
    double sum = 0;
    for (int j = 0; j < k; ++j)
      if (open(0, j)) sum += std::exp(static_cast<double>(z[j]) - own);
    for (int j = 0; j < k; ++j) q[j] = open(0, j) ? static_cast<float>(std::exp(static_cast<double>(z[j]) - own) / sum) : 0;
  }
  float top_of(const float* z) const {
    float top = z[0];
    for (int j = 1; j < k; ++j)
      if (classes[j]) top = std::max(top, z[j]);
    return top;
  }
};

// sigmoids fills p for one pixel and returns the mean over channels of the binary cross-entropy, from the logits for
// accuracy: max(z, 0) - z·t + ln(1 + e^-|z|).
double sigmoids(const float* z, int target, int k, float* p, const Merged& merged) {
  double sum = merged.open(target, target) ? 0 : -z[target];
  for (int j = 0; j < k; ++j) {
    const float tail = std::exp(-std::fabs(z[j]));
    p[j] = z[j] >= 0 ? 1 / (1 + tail) : tail / (1 + tail);
    if (!merged.open(target, j)) sum += std::max(z[j], 0.0f) + std::log1p(tail);
  }
  return sum / k;
}

// underflow is the probability below which -ln p[target] comes from the logits: max z - z[target].
constexpr float underflow = 1e-30f;

}  // namespace

extern "C" void ns_loss(ns_engine* e, ns_loss_op op, ns_shape s, float* dlogits, float* items, const float* logits,
                        const uint8_t* target) {
  const float ce = op.ce, dice = op.dice, smooth = op.smooth, *weights = op.classes;
  const bool sigmoid = op.sigmoid != 0;
  const int k = s.c, pixels = s.h * s.w;
  float* probs = e->partial.get(static_cast<size_t>(s.n) * pixels * k);
  const size_t row = Sums::size(k), rows = static_cast<size_t>(s.n) * s.h;
  // Sums of each row of pixels, then of each item, then what the gradient needs of each item.
  std::vector<double>& room = e->doubles;
  room.assign((rows + s.n) * row + s.n * (1 + 2 * static_cast<size_t>(k)), 0.0);
  double *of_items = room.data() + rows * row, *weight = of_items + s.n * row, *others = weight + s.n,
         *own = others + static_cast<size_t>(s.n) * k;
  e->team.run(s.n * s.h, [&](int r, int thread) {
    const Sums sum(room.data() + r * row, k);
    const Merged merged(op, r / s.h, k);
    const float* z = logits + static_cast<ptrdiff_t>(r) * s.w * k;
    const uint8_t* t = target + static_cast<ptrdiff_t>(r) * s.w;
    float* p = probs + static_cast<ptrdiff_t>(r) * s.w * k;
    float* logs = e->local[thread].get(s.w);  // ln p of each pixel's class
    if (!sigmoid) {
      e->k.softmax(p, z, s.w, k, k, k);
      for (int q = 0; q < s.w; ++q) logs[q] = t[q] < k ? std::max(p[q * k + t[q]], underflow) : 1;
      e->k.logarithms(logs, s.w);
    }
    double total = 0, total_weight = 0;
    for (int q = 0; q < s.w; ++q) {
      float* pq = p + q * k;
      const float* zq = z + q * k;
      if (t[q] >= k) {  // tensor.Ignore
        std::fill_n(pq, k, 0.0f);
        continue;
      }
      const float w = weights ? weights[t[q]] : 1.0f;
      double loss;
      if (sigmoid)
        loss = sigmoids(zq, t[q], k, pq, merged);
      else if (merged.classes && t[q] == 0)
        loss = merged.nats(zq);
      else if (pq[t[q]] > underflow)
        loss = -logs[q];
      else
        loss = *std::max_element(zq, zq + k) - zq[t[q]];
      total += w * loss;
      total_weight += w;
      sum.both[t[q]] += pq[t[q]];  // of the background too, which is not used: a branch per pixel costs more
      sum.t[t[q]] += 1;
    }
    *sum.ce = total, *sum.weight = total_weight;
    for (int j = 1; j < k; ++j) {
      double of_class = 0;
      for (int q = 0; q < s.w; ++q) of_class += p[q * k + j];
      sum.p[j] = of_class;
    }
  });
  for (int n = 0; n < s.n; ++n) {
    const Sums sum(of_items + n * row, k);
    const Merged merged(op, n, k);
    const int classes = merged.counted;
    for (int r = n * s.h; r < (n + 1) * s.h; ++r)
      for (size_t i = 0; i < row; ++i) of_items[n * row + i] += room[r * row + i];
    double d = 0, counted = sum.t[0];  // pixels that are not ignored
    for (int j = 1; j < k; ++j) {
      counted += sum.t[j];
      if (merged.has(j)) continue;
      const double top = 2 * sum.both[j] + smooth, bottom = sum.p[j] + sum.t[j] + smooth;
      if (bottom == 0) continue;  // absent, and every probability underflowed
      d += top / bottom;
      // ∂(Dice term)/∂p at pixels of other classes, and at the class's own; the background's stay 0.
      const double share = dice / s.n / classes, all = top / (bottom * bottom);
      others[static_cast<size_t>(n) * k + j] = share * all;
      own[static_cast<size_t>(n) * k + j] = share * (all - 2 / bottom);
    }
    weight[n] = *sum.weight;
    items[n] = static_cast<float>(ce * (weight[n] > 0 ? *sum.ce / weight[n] : 0) + (classes ? dice * (1 - d / classes) : 0));
    if (counted == 0) items[n] = 0;
  }
  if (!dlogits) return;
  e->team.run(s.n * s.h, [&](int r, int thread) {
    const int n = r / s.h;
    const Merged merged(op, n, k);
    float* among = merged.classes ? e->local[thread].get(k) : nullptr;
    const uint8_t* t = target + static_cast<ptrdiff_t>(r) * s.w;
    const float* p = probs + static_cast<ptrdiff_t>(r) * s.w * k;
    float* g = dlogits + static_cast<ptrdiff_t>(r) * s.w * k;
    const double *other = others + static_cast<size_t>(n) * k, *same = own + static_cast<size_t>(n) * k;
    const float unit = static_cast<float>(weight[n] > 0 ? ce / weight[n] / s.n / (sigmoid ? k : 1) : 0);
    for (int q = 0; q < s.w; ++q) {
      const int c = t[q];
      if (c >= k) {
        std::fill_n(g + q * k, k, 0.0f);
        continue;
      }
      const float *pq = p + q * k, share = unit * (weights ? weights[c] : 1.0f);
      float mean = static_cast<float>(same[c] - other[c]) * pq[c];  // Σ_j dp_j·p_j, softmax's coupling of the classes
      for (int j = 1; j < k; ++j) mean += static_cast<float>(other[j]) * pq[j];
      if (merged.classes && c == 0) {
        if (!sigmoid) merged.among(logits + (static_cast<ptrdiff_t>(r) * s.w + q) * k, among);
        for (int j = 0; j < k; ++j) {
          const float dp = static_cast<float>(other[j]), v = pq[j];
          const float error = sigmoid ? (merged.open(0, j) ? 0 : v) : v - among[j];
          g[q * k + j] = share * error + (sigmoid ? dp * v * (1 - v) : v * (dp - mean));
        }
        continue;
      }
      auto gradient = [&](double slope, float v, float error) {
        const float dp = static_cast<float>(slope);
        return share * error + (sigmoid ? dp * v * (1 - v) : v * (dp - mean));
      };
      for (int j = 0; j < k; ++j) g[q * k + j] = gradient(other[j], pq[j], pq[j]);
      g[q * k + c] = gradient(same[c], pq[c], pq[c] - 1);
    }
  });
}

extern "C" void ns_adam(ns_engine* e, ns_moments op, int64_t n, float* w, float* m, float* v, const float* g) {
  // Divided by the place of the gradient in memory, as its layer wrote it.
  e->team.run_by_address(g, n, [&](int64_t from, int64_t count) {
    e->k.adam(w + from, m + from, v + from, g + from, count, op);
  });
}
