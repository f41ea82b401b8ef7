// The C surface of the engine: everything that Go calls. All pointers are borrowed for the length of the call.
// Functions that can fail return 0 on success; ns_error then tells what went wrong.
#ifndef NEXTSLICE_SHIM_H
#define NEXTSLICE_SHIM_H
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef struct ns_engine ns_engine;

// An activation [n h w c], channels innermost; pixels lie `stride` floats apart.
typedef struct {
  int n, h, w, c, stride;
} ns_shape;

// A dropout mask, a function of the seed and an element's number in the dense tensor, or in its item if period, the number of an
// item's elements, is not 0; threshold 0: no dropout.
typedef struct {
  uint32_t threshold;
  float scale;
  uint64_t seed;
  uint32_t period;
} ns_mask;

// Instruction sets, of which the last rounds what 3×3 and transposed convolutions multiply to bfloat16, and kernels that carry out the convolutions; Go takes its constants from here.
enum { NS_BEST, NS_BASELINE, NS_AVX2, NS_AVX512, NS_AMX };
enum { NS_WINOGRAD, NS_DIRECT, NS_LIBRARY };

// Classes that softmax and the loss can have at most: as many as a mask's bytes tell apart.
enum { NS_MAX_CLASSES = 256 };

// ns_new makes an engine, or returns NULL and says in *error, which outlives the call, why it cannot.
ns_engine *ns_new(int threads, int isa, int kernels, const char **error);
void ns_free(ns_engine *);
const char *ns_error(const ns_engine *);
const char *ns_isa(const ns_engine *);
const char *ns_compiler(void);                // the compiler that built this package, such as "g++ 12.2.0"
const char *ns_library(const ns_engine *);  // the library whose convolutions the engine uses, "" for its own

// Where a convolution's result goes: pixels stride floats apart; add and shuffle are tensor.Conv's.
typedef struct {
  float *at;
  int stride, add, shuffle;
} ns_output;

// tensor.Conv: a kernel of k×k, o channels of y, the activation, and the dropout of the input.
typedef struct {
  int k, o, leaky;
  float slope;
  ns_mask mask;
} ns_conv_op;

int ns_conv(ns_engine *, ns_conv_op op, ns_shape x, ns_output y, const float *px, const float *w, const float *b);
int ns_conv_backward_data(ns_engine *, ns_conv_op op, ns_shape x, float *dx, const float *dy, const float *w);
int ns_conv_backward_weights(ns_engine *, ns_conv_op op, ns_shape x, float *dw, float *db, const float *dy,
                             const float *px);
int ns_up(ns_engine *, ns_shape x, ns_shape y, float *py, const float *px, const float *w, const float *b);
int ns_up_backward_data(ns_engine *, ns_shape x, ns_shape y, float *dx, const float *dy, const float *w);
int ns_up_backward_weights(ns_engine *, ns_shape x, ns_shape y, float *dw, float *db, const float *dy,
                           const float *px);

// tensor.Norm.
typedef struct {
  float eps, slope;
  const float *gamma, *beta;
  float *mean, *variance, *dgamma, *dbeta;
} ns_batch_norm;

void ns_norm(ns_engine *, ns_batch_norm op, ns_shape x, int ystride, float *y, const float *px);
void ns_norm_backward(ns_engine *, ns_batch_norm op, ns_shape x, int dxstride, int dystride, float *dx, const float *dy,
                      const float *px);
void ns_norm_pool(ns_engine *, ns_batch_norm op, ns_shape x, float *y, uint8_t *argmax, const float *px);
void ns_norm_pool_backward(ns_engine *, ns_batch_norm op, ns_shape x, int dxstride, float *dx, const float *dy,
                           const uint8_t *argmax, const float *px);
void ns_maxpool(ns_engine *, ns_shape x, ns_mask mask, float *y, uint8_t *argmax, const float *px);
void ns_maxpool_backward(ns_engine *, ns_shape x, int skipstride, ns_mask mask, float *dx, const float *dy,
                         const uint8_t *argmax, const float *skip);
void ns_softmax(ns_engine *, int64_t pixels, int k, int pstride, int xstride, float *p, const float *logits);
void ns_entropy(ns_engine *, int64_t pixels, int k, int pstride, float *h, const float *p);

// tensor.Loss; classes and merged may be NULL. A target of k or more is ignored.
typedef struct {
  float ce, dice, smooth;
  const float *classes;
  int sigmoid;
  const uint8_t *merged;  // [n k]
} ns_loss_op;

void ns_loss(ns_engine *, ns_loss_op op, ns_shape x, float *dlogits, float *items, const float *logits,
             const uint8_t *target);
void ns_mean(ns_engine *, ns_shape x, float *y, const float *px);
void ns_mean_backward(ns_engine *, ns_shape x, float *dx, const float *dy);

// Adam's numbers: the learning rate over the first bias correction, β₁, 1-β₁, β₂, 1-β₂, ε, the root of the second
// correction, and the weight decay.
typedef struct {
  float step, beta1, rest1, beta2, rest2, eps, c2, decay;
} ns_moments;

void ns_adam(ns_engine *, ns_moments op, int64_t n, float *w, float *m, float *v, const float *g);

// The machine's ceilings on all threads of the engine: FLOP/s of single-precision multiply-adds, and bytes/s of
// a = b + s·c over arrays far larger than the caches (two reads and a write).
double ns_peak(ns_engine *, double seconds);
double ns_bandwidth(ns_engine *, double seconds);

#ifdef __cplusplus
}
#endif
#endif
