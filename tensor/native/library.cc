//go:build onednn

// oneDNN's convolutions, with plain channels-last activations and weights in whatever layout its kernels like best
// (reordered once per call). Each primitive is made for one item and one thread and kept; the items of a mini-batch
// are shared out over the engine's own team, because the library's threads spin at barriers. Its forward kernel computes
// the gradient of the data too: its own kernel for that is its slowest on these shapes. Compiles against version 2 (Debian
// 12) and version 3, of which 2.6.3 is tested. Failures throw dnnl::error.
#include "library.h"

#include <oneapi/dnnl/dnnl.hpp>

#include <cstring>
#include <map>
#include <tuple>
#include <vector>

#include "engine.h"

using namespace dnnl;

// From the OpenMP runtime that the library was built with: this thread runs the library's loops by itself.
extern "C" void omp_set_num_threads(int) __attribute__((weak));

namespace nextslice {

namespace {

using tag = memory::format_tag;
constexpr auto f32 = memory::data_type::f32;

struct Key {
  bool gradient, bias, leaky;
  int h, w, in, out, k, stride;  // stride: floats from one pixel of the output to the next
  float slope;
  bool operator<(const Key& o) const {
    return std::tie(gradient, bias, leaky, h, w, in, out, k, stride, slope) <
           std::tie(o.gradient, o.bias, o.leaky, o.h, o.w, o.in, o.out, o.k, o.stride, o.slope);
  }
};

struct Primitive {
  primitive run;
  memory::desc src, dst, weights, bias, scratch;
};

// alone keeps the library on the calling thread.
void alone() {
  if (omp_set_num_threads) omp_set_num_threads(1);
}

memory::desc activation(const Key& k, int channels, int stride) {
  return {{1, channels, k.h, k.w}, f32, memory::dims{static_cast<memory::dim>(k.h) * k.w * stride, 1, k.w * stride, stride}};
}

class OneDNN : public Library {
 public:
  OneDNN() {
    const dnnl_version_t* v = dnnl_version();
    name_ = "oneDNN " + std::to_string(v->major) + "." + std::to_string(v->minor) + "." + std::to_string(v->patch);
  }
  const char* name() const override { return name_.c_str(); }
  void forward(ns_engine* e, const ns_shape& s, int o, int k, bool rotated, bool leaky, float slope, float* y,
               int ystride, const float* x, const float* w, const float* b) override;
  void backward_weights(ns_engine* e, const ns_shape& s, int o, int k, float* dw, float* db, const float* dy,
                        const float* x) override;

 private:
  std::string name_;
  engine cpu{engine::kind::cpu, 0};
  std::map<Key, Primitive> primitives;
  Buffer weights, turned, gradients;
  std::vector<Buffer> scratch;
  std::vector<stream> streams;

  // prepare makes the streams and scratch memory of n threads.
  void prepare(int n) {
    scratch.resize(n);
    while (static_cast<int>(streams.size()) < n) streams.emplace_back(cpu);
  }

  convolution_forward::primitive_desc forward_desc(const Key& k) {
    const memory::dims pad{k.k / 2, k.k / 2}, one{1, 1};
    const memory::desc src = activation(k, k.in, k.in), dst = activation(k, k.out, k.stride);
    const memory::desc w({k.out, k.in, k.k, k.k}, f32, tag::any);
    const memory::desc b = k.bias ? memory::desc({k.out}, f32, tag::x) : memory::desc();
    primitive_attr attr;
    attr.set_scratchpad_mode(scratchpad_mode::user);
    if (k.leaky) {
      post_ops ops;
#if DNNL_VERSION_MAJOR >= 3
      ops.append_eltwise(algorithm::eltwise_relu, k.slope, 0);
#else
      ops.append_eltwise(1, algorithm::eltwise_relu, k.slope, 0);
#endif
      attr.set_post_ops(ops);
    }
#if DNNL_VERSION_MAJOR >= 3
    return {cpu, prop_kind::forward_training, algorithm::convolution_direct, src, w, b, dst, one, pad, pad, attr};
#else
    const convolution_forward::desc d(prop_kind::forward_training, algorithm::convolution_direct, src, w, b, dst, one,
                                      pad, pad);
    return {d, attr, cpu};
#endif
  }

  convolution_backward_weights::primitive_desc gradient_desc(const Key& k) {
    const memory::dims pad{k.k / 2, k.k / 2}, one{1, 1};
    const memory::desc src = activation(k, k.in, k.in), dst = activation(k, k.out, k.stride);
    const memory::desc w({k.out, k.in, k.k, k.k}, f32, tag::any), b({k.out}, f32, tag::x);
    primitive_attr attr;
    attr.set_scratchpad_mode(scratchpad_mode::user);
    Key hint = k;
    hint.gradient = false;
    const auto fwd = forward_desc(hint);
#if DNNL_VERSION_MAJOR >= 3
    return {cpu, algorithm::convolution_direct, src, w, b, dst, one, pad, pad, fwd, attr};
#else
    const convolution_backward_weights::desc d(algorithm::convolution_direct, src, w, b, dst, one, pad, pad);
    return {d, attr, cpu, fwd};
#endif
  }

  const Primitive& get(const Key& k) {
    auto found = primitives.find(k);
    if (found != primitives.end()) return found->second;
    alone();
    Primitive p;
    if (k.gradient) {
      const auto d = gradient_desc(k);
      p = {convolution_backward_weights(d), d.src_desc(), d.diff_dst_desc(), d.diff_weights_desc(),
           d.diff_bias_desc(), d.scratchpad_desc()};
    } else {
      const auto d = forward_desc(k);
      p = {convolution_forward(d), d.src_desc(), d.dst_desc(), d.weights_desc(), d.bias_desc(), d.scratchpad_desc()};
    }
    return primitives.emplace(k, std::move(p)).first->second;
  }

  memory room(const memory::desc& d, Buffer& b) { return memory(d, cpu, b.get(d.get_size() / sizeof(float) + 1)); }
};

void OneDNN::forward(ns_engine* e, const ns_shape& s, int o, int k, bool rotated, bool leaky, float slope, float* y,
                     int ystride, const float* x, const float* w, const float* b) {
  const int in = rotated ? o : s.c, out = rotated ? s.c : o;
  const Primitive& p = get({false, b != nullptr, leaky, s.h, s.w, in, out, k, ystride, leaky ? slope : 0});
  prepare(e->team.threads());
  alone();
  const size_t io = static_cast<size_t>(in) * out;
  float* plain = const_cast<float*>(w);
  if (rotated) {
    plain = turned.get(io * k * k);
    for (int t = 0; t < k * k; ++t)
      for (int i = 0; i < in; ++i)
        for (int j = 0; j < out; ++j) plain[t * io + i * out + j] = w[(k * k - 1 - t) * io + j * in + i];
  }
  memory user({{out, in, k, k}, f32, tag::hwio}, cpu, plain), best = user;
  if (user.get_desc() != p.weights) {
    best = room(p.weights, weights);
    reorder(user, best).execute(streams[0], user, best);
    streams[0].wait();
  }
  const ptrdiff_t pixels = static_cast<ptrdiff_t>(s.h) * s.w;
  e->team.run(s.n, [&](int item, int thread) {
    alone();
    std::unordered_map<int, memory> args{
        {DNNL_ARG_SRC, memory(p.src, cpu, const_cast<float*>(x) + item * pixels * in)},
        {DNNL_ARG_DST, memory(p.dst, cpu, y + item * pixels * ystride)},
        {DNNL_ARG_WEIGHTS, best},
        {DNNL_ARG_SCRATCHPAD, room(p.scratch, scratch[thread])}};
    if (b) args.emplace(DNNL_ARG_BIAS, memory(p.bias, cpu, const_cast<float*>(b)));
    p.run.execute(streams[thread], args);
    streams[thread].wait();
  });
}

void OneDNN::backward_weights(ns_engine* e, const ns_shape& s, int o, int k, float* dw, float* db, const float* dy,
                              const float* x) {
  const Primitive& p = get({true, true, false, s.h, s.w, s.c, o, k, o, 0});
  prepare(e->team.threads());
  const size_t size = p.weights.get_size() / sizeof(float), each = size + o;
  float* sums = gradients.get(each * s.n);
  const ptrdiff_t pixels = static_cast<ptrdiff_t>(s.h) * s.w;
  e->team.run(s.n, [&](int item, int thread) {
    alone();
    p.run.execute(streams[thread],
                  {{DNNL_ARG_SRC, memory(p.src, cpu, const_cast<float*>(x) + item * pixels * s.c)},
                   {DNNL_ARG_DIFF_DST, memory(p.dst, cpu, const_cast<float*>(dy) + item * pixels * o)},
                   {DNNL_ARG_DIFF_WEIGHTS, memory(p.weights, cpu, sums + each * item)},
                   {DNNL_ARG_DIFF_BIAS, memory(p.bias, cpu, sums + each * item + size)},
                   {DNNL_ARG_SCRATCHPAD, room(p.scratch, scratch[thread])}});
    streams[thread].wait();
  });
  for (int item = 1; item < s.n; ++item) e->k.add(sums, sums + each * item, static_cast<int64_t>(each));
  alone();
  memory best(p.weights, cpu, sums), user({{o, s.c, k, k}, f32, tag::hwio}, cpu, dw);
  reorder(best, user).execute(streams[0], best, user);
  streams[0].wait();
  std::memcpy(db, sums + size, o * sizeof(float));
}

}  // namespace

std::unique_ptr<Library> new_library() { return std::make_unique<OneDNN>(); }

}  // namespace nextslice
