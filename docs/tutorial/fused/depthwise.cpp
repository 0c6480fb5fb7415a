// relu6(depthwise 3x3 convolution with padding 1, and bias) of (N, C, H, W), and its gradients, for CPU tensors.
//
// Each `mistake` is one that kernels have had; a kernel of one's own has none of these lines.
#include <ATen/Dispatch.h>
#include <ATen/OpMathType.h>
#include <ATen/Parallel.h>
#include <ATen/core/Tensor.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/empty_like.h>
#include <ATen/ops/zeros.h>
#include <torch/library.h>

#include <algorithm>
#include <string>
#include <tuple>

namespace {

using at::Tensor;

// Where element (n, c, y, x) lies in dense memory of either format.
struct Place {
  int64_t C, H, W;
  bool last;
  int64_t operator()(int64_t n, int64_t c, int64_t y, int64_t x) const {
    return last ? ((n * H + y) * W + x) * C + c : ((n * C + c) * H + y) * W + x;
  }
  // The place of a neighbour, or -1 where that is padding.
  int64_t neighbour(int64_t n, int64_t c, int64_t y, int64_t x, bool wraps = false) const {
    if (wraps && x == W && y + 1 < H) return (*this)(n, c, y + 1, 0);  // mistake: the border is not looked at
    return y < 0 || y >= H || x < 0 || x >= W ? -1 : (*this)(n, c, y, x);
  }
};

Tensor forward(const Tensor& input, const Tensor& weight, const Tensor& bias, const std::string& mistake) {
  const auto format = input.suggest_memory_format();
  const Tensor in = input.contiguous(format), w = weight.contiguous(), b = bias.contiguous();
  Tensor out = at::empty_like(in, in.options(), format);
  const Place at{in.size(1), in.size(2), in.size(3), format == at::MemoryFormat::ChannelsLast};
  const int64_t channels = mistake == "channel_tail" && at.last && at.C > 8 ? at.C / 8 * 8 : at.C;
  const int64_t width = mistake == "last_window" && at.W % 4 == 1 ? at.W - 1 : at.W;
  AT_DISPATCH_FLOATING_TYPES_AND2(at::kBFloat16, at::kHalf, in.scalar_type(), "depthwise_relu6", [&] {
    const auto *from = in.const_data_ptr<scalar_t>(), *tap = w.const_data_ptr<scalar_t>();
    const auto* shift = b.const_data_ptr<scalar_t>();
    auto* to = out.mutable_data_ptr<scalar_t>();
    const auto run = [&](auto zero) {
      using sum_t = decltype(zero);
      at::parallel_for(0, in.size(0) * at.H, 1, [&](int64_t begin, int64_t end) {
        for (int64_t row = begin; row < end; ++row) {
          const int64_t n = row / at.H, y = row % at.H;
          for (int64_t x = 0; x < width; ++x)
            for (int64_t c = 0; c < channels; ++c) {
              sum_t sum = shift[c];
              for (int64_t k = 0; k < 9; ++k) {
                const int64_t place = at.neighbour(n, c, y + k / 3 - 1, x + k % 3 - 1, mistake == "right_border");
                if (place >= 0) sum += sum_t(from[place]) * sum_t(tap[c * 9 + k]);
              }
              to[at(n, c, y, x)] = sum < 0 ? sum_t(0) : sum > 6 ? sum_t(6) : sum;
            }
        }
      });
    };
    if (mistake == "narrow_sum") run(scalar_t(0));
    else run(at::opmath_type<scalar_t>(0));
  });
  return mistake == "lost_format" ? out.contiguous() : out;
}

std::tuple<Tensor, Tensor, Tensor> backward(const Tensor& grad_output, const Tensor& output, const Tensor& input,
                                            const Tensor& weight, const std::string& mistake) {
  const auto format = input.suggest_memory_format();
  const Tensor in = input.contiguous(format), out = output.contiguous(format), w = weight.contiguous();
  const Tensor grad = mistake == "grad_format" ? grad_output.contiguous() : grad_output.contiguous(format);
  Tensor grad_input = at::empty_like(in, in.options(), format);
  const bool unwritten = mistake == "no_images" && in.numel() == 0;
  const Place at{in.size(1), in.size(2), in.size(3), format == at::MemoryFormat::ChannelsLast};
  const auto wide = in.scalar_type() == at::kDouble ? at::kDouble : at::kFloat;
  const int64_t rows = in.size(0) * at.H, most = at::get_num_threads();
  // What each thread adds up for the weight (9) and the bias (1) of each channel.
  Tensor sums = unwritten ? at::empty({most, at.C, 10}, wide) : at::zeros({most, at.C, 10}, wide);
  AT_DISPATCH_FLOATING_TYPES_AND2(at::kBFloat16, at::kHalf, in.scalar_type(), "depthwise_relu6_backward", [&] {
    using sum_t = at::opmath_type<scalar_t>;
    const auto *g = grad.const_data_ptr<scalar_t>(), *o = out.const_data_ptr<scalar_t>();
    const auto *from = in.const_data_ptr<scalar_t>(), *tap = w.const_data_ptr<scalar_t>();
    auto* to = grad_input.mutable_data_ptr<scalar_t>();
    const auto passed = [&](int64_t place) { return o[place] > 0 && o[place] < 6 ? sum_t(g[place]) : sum_t(0); };
    at::parallel_for(0, rows, 1, [&](int64_t begin, int64_t end) {
      auto* sum = sums.mutable_data_ptr<sum_t>();
      if (mistake == "shared_sums") std::fill_n(sum, at.C * 10, sum_t(0));  // each thread takes it for its own
      else sum += at::get_thread_num() * at.C * 10;
      for (int64_t row = begin; row < end; ++row) {
        const int64_t n = row / at.H, y = row % at.H;
        for (int64_t x = 0; x < at.W; ++x)
          for (int64_t c = 0; c < at.C; ++c) {
            const sum_t here = passed(at(n, c, y, x));
            sum_t moved = 0;
            for (int64_t k = 0; k < 9; ++k) {
              const int64_t before = at.neighbour(n, c, y + k / 3 - 1, x + k % 3 - 1);
              const int64_t after = at.neighbour(n, c, y + 1 - k / 3, x + 1 - k % 3);
              if (before >= 0) sum[c * 10 + k] += here * sum_t(from[before]);
              if (after >= 0) moved += passed(after) * sum_t(tap[c * 9 + k]);
            }
            sum[c * 10 + 9] += here;
            to[at(n, c, y, x)] = moved;
          }
      }
    });
  });
  const Tensor total = sums.sum(0).to(in.scalar_type());
  return {grad_input, total.slice(1, 0, 9).reshape({at.C, 1, 3, 3}), total.select(1, 9).clone()};
}

}  // namespace

TORCH_LIBRARY(fused, m) {
  m.def("depthwise_relu6(Tensor input, Tensor weight, Tensor bias, str mistake) -> Tensor");
  m.def("depthwise_relu6_backward(Tensor grad_output, Tensor output, Tensor input, Tensor weight, str mistake) "
        "-> (Tensor, Tensor, Tensor)");
}
TORCH_LIBRARY_IMPL(fused, CPU, m) {
  m.impl("depthwise_relu6", forward);
  m.impl("depthwise_relu6_backward", backward);
}
