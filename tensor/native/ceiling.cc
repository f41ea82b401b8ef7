#include <algorithm>
#include <chrono>
#include <vector>

#include "engine.h"

using namespace nextslice;

namespace {

constexpr int64_t kRounds = 1 << 20;       // of multiply-adds between two looks at the clock: some milliseconds
constexpr int64_t kArrayFloats = 8 << 20;  // 32 MB an array: the three of a thread are larger than its caches

// best repeats f for some time and returns the highest of its rates: what the machine can do while nothing else runs.
template <typename F>
double best(double seconds, F f) {
  using clock = std::chrono::steady_clock;
  const auto begin = clock::now();
  double rate = 0;
  do {
    const auto start = clock::now();
    const double work = f();
    rate = std::max(rate, work / std::chrono::duration<double>(clock::now() - start).count());
  } while (std::chrono::duration<double>(clock::now() - begin).count() < seconds);
  return rate;
}

}  // namespace

extern "C" double ns_peak(ns_engine* e, double seconds) {
  const int threads = e->team.threads();
  std::vector<float> sink(threads);
  return best(seconds, [&] {
    e->team.run(threads, [&](int part, int) { sink[part] = e->k.multiply_adds(kRounds); });
    return 2.0 * kChains * e->k.width * kRounds * threads;
  });
}

extern "C" double ns_bandwidth(ns_engine* e, double seconds) {
  const int64_t n = kArrayFloats;
  const int threads = e->team.threads();
  std::vector<Buffer> room(threads);
  for (auto& b : room) std::fill_n(b.get(3 * n), 3 * n, 1.0f);
  return best(seconds, [&] {
    e->team.run(threads, [&](int part, int) {
      float* a = room[part].get(3 * n);
      e->k.triad(a, a + n, a + 2 * n, n, 0.5f);
    });
    return 3.0 * sizeof(float) * static_cast<double>(n) * threads;
  });
}
