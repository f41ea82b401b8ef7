#include "engine.h"

#include <oneapi/dnnl/dnnl.hpp>

#include "library.h"

using namespace nextslice;

ns_engine::ns_engine(int threads, const Kernels* table, int convolutions)
    : team(threads), k(*table), local(threads), own(threads), sums(threads), winograd(convolutions == 0),
      library(convolutions == 2 ? new Library : nullptr) {}

ns_engine::~ns_engine() = default;

extern "C" {

ns_engine* ns_new(int threads, int isa, int convolutions) {
  const Kernels* table = kernels(isa);
  if (!table) return nullptr;
  try {
    return new ns_engine(threads, table, convolutions);
  } catch (const std::exception&) {
    return nullptr;
  }
}

void ns_free(ns_engine* e) { delete e; }
const char* ns_error(const ns_engine* e) { return e->error.c_str(); }
const char* ns_isa(const ns_engine* e) { return e->k.name; }

const char* ns_library_version(void) {
  static const std::string text = [] {
    const dnnl_version_t* v = dnnl_version();
    return std::to_string(v->major) + "." + std::to_string(v->minor) + "." + std::to_string(v->patch);
  }();
  return text.c_str();
}
}
