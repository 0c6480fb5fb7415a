// A channel-wise scale, y[n, c, h, w] = x[n, c, h, w] * weight[c], and the gradient of x, for CPU tensors of rank 4.
#include <torch/library.h>
#include <ATen/ATen.h>
#include <ATen/Dispatch.h>

namespace {

// Walks the elements in the order in which they lie in memory, whichever of the two formats that is.
at::Tensor scale(const at::Tensor& input, const at::Tensor& weight) {
  TORCH_CHECK(input.dim() == 4 && weight.dim() == 1 && weight.size(0) == input.size(1), "scale wants (N, C, H, W) and (C)");
  const auto format = input.suggest_memory_format();
  const at::Tensor x = input.contiguous(format), w = weight.contiguous();
  at::Tensor result = at::empty_like(x, x.options(), format);
  const int64_t channels = x.size(1), pixels = x.size(2) * x.size(3);
  const bool last = format == at::MemoryFormat::ChannelsLast;
  AT_DISPATCH_FLOATING_TYPES_AND2(at::kBFloat16, at::kHalf, x.scalar_type(), "scale", [&] {
    const auto* from = x.const_data_ptr<scalar_t>();
    const auto* factor = w.const_data_ptr<scalar_t>();
    auto* to = result.mutable_data_ptr<scalar_t>();
    for (int64_t i = 0; i < x.numel(); ++i) {
      const int64_t channel = last ? i % channels : i / pixels % channels;
      to[i] = from[i] * factor[channel];
    }
  });
  return result;
}

}  // namespace

TORCH_LIBRARY(tutorial, m) { m.def("scale(Tensor input, Tensor weight) -> Tensor"); }
TORCH_LIBRARY_IMPL(tutorial, CPU, m) { m.impl("scale", scale); }
