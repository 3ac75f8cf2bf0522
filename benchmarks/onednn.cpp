// One recurrent layer of oneDNN, forward and backward, for onednn.py, which compiles and calls this.
//
// Weights and gradients are held in the layouts that oneDNN asks for; what its interface takes
// otherwise is put there once, before anything is timed.

#include <omp.h>

#include <cstring>
#include <unordered_map>
#include <vector>

#include "oneapi/dnnl/dnnl.hpp"

using dnnl::memory;
using dt = memory::data_type;
using tag = memory::format_tag;
using arguments = std::unordered_map<int, memory>;

namespace {

struct Layer {
    dnnl::engine engine{dnnl::engine::kind::cpu, 0};
    dnnl::stream stream{engine};
    dnnl::primitive forward, backward;
    arguments forward_arguments, backward_arguments;
    memory last;

    memory empty(const memory::desc &desc) {
        memory made(desc, engine);
        std::memset(made.get_data_handle(), 0, desc.get_size());
        return made;
    }

    memory filled(const memory::dims &dims, tag layout, const float *values) {
        memory made = empty({dims, dt::f32, layout});
        std::memcpy(made.get_data_handle(), values, made.get_desc().get_size());
        return made;
    }

    memory laid_out(memory &given, const memory::desc &desc) {
        memory made = empty(desc);
        dnnl::reorder(given, made).execute(stream, given, made);
        stream.wait();
        return made;
    }
};

struct Shapes {
    memory::desc x, state, weights, recurrent, bias, states;
};

// The descriptions of the forward and of the backward primitive, for a cell of one state or two.
template <typename Cell>
struct Descriptions;

constexpr auto training = dnnl::prop_kind::forward_training;
constexpr auto backward = dnnl::prop_kind::backward;
constexpr auto direction = dnnl::rnn_direction::unidirectional_left2right;

template <>
struct Descriptions<dnnl::gru_forward> {
    dnnl::gru_forward::primitive_desc there;
    dnnl::gru_backward::primitive_desc back;

    Descriptions(const dnnl::engine &e, const Shapes &s)
        : there(e, training, direction, s.x, s.state, s.weights, s.recurrent, s.bias, s.states, s.state),
          back(e, backward, direction, s.x, s.state, s.weights, s.recurrent, s.bias, s.states, s.state,
               s.x, s.state, s.weights, s.recurrent, s.bias, s.states, s.state, there) {}
};

template <>
struct Descriptions<dnnl::vanilla_rnn_forward> {
    dnnl::vanilla_rnn_forward::primitive_desc there;
    dnnl::vanilla_rnn_backward::primitive_desc back;
    static constexpr auto tanh = dnnl::algorithm::eltwise_tanh;

    Descriptions(const dnnl::engine &e, const Shapes &s)
        : there(e, training, tanh, direction, s.x, s.state, s.weights, s.recurrent, s.bias, s.states,
                s.state),
          back(e, backward, tanh, direction, s.x, s.state, s.weights, s.recurrent, s.bias, s.states,
               s.state, s.x, s.state, s.weights, s.recurrent, s.bias, s.states, s.state, there) {}
};

template <>
struct Descriptions<dnnl::lstm_forward> {
    dnnl::lstm_forward::primitive_desc there;
    dnnl::lstm_backward::primitive_desc back;

    Descriptions(const dnnl::engine &e, const Shapes &s)
        : there(e, training, direction, s.x, s.state, s.state, s.weights, s.recurrent, s.bias, s.states,
                s.state, s.state),
          back(e, backward, direction, s.x, s.state, s.state, s.weights, s.recurrent, s.bias, s.states,
               s.state, s.state, s.x, s.state, s.state, s.weights, s.recurrent, s.bias, s.states, s.state,
               s.state, there) {}
};

template <typename Forward, typename Backward>
Layer *make(long n_gates, bool has_memory, long B, long T, long D, long H, const float *x,
            const float *weights, const float *recurrent, const float *bias, const float *d_last) {
    omp_set_num_threads(1);
    auto *layer = new Layer;
    const memory::dims w{1, 1, D, n_gates, H}, u{1, 1, H, n_gates, H};
    const Shapes shapes{{{T, B, D}, dt::f32, tag::tnc},         {{1, 1, B, H}, dt::f32, tag::ldnc},
                        {w, dt::f32, tag::any},                 {u, dt::f32, tag::any},
                        {{1, 1, n_gates, H}, dt::f32, tag::ldgo}, {{T, B, H}, dt::f32, tag::tnc}};
    const Descriptions<Forward> d(layer->engine, shapes);
    layer->forward = Forward(d.there);
    layer->backward = Backward(d.back);

    memory W = layer->filled(w, tag::ldigo, weights), U = layer->filled(u, tag::ldigo, recurrent);
    memory d_states = layer->empty(shapes.states);
    memory start = layer->empty(shapes.state);
    layer->last = layer->empty(shapes.state);
    auto &a = layer->forward_arguments;
    a = {{DNNL_ARG_SRC_LAYER, layer->filled({T, B, D}, tag::tnc, x)},
         {DNNL_ARG_SRC_ITER, start},
         {DNNL_ARG_WEIGHTS_LAYER, layer->laid_out(W, d.there.weights_layer_desc())},
         {DNNL_ARG_WEIGHTS_ITER, layer->laid_out(U, d.there.weights_iter_desc())},
         {DNNL_ARG_BIAS, layer->filled({1, 1, n_gates, H}, tag::ldgo, bias)},
         {DNNL_ARG_DST_LAYER, layer->empty(shapes.states)},
         {DNNL_ARG_DST_ITER, layer->last},
         {DNNL_ARG_WORKSPACE, layer->empty(d.there.workspace_desc())}};
    if (has_memory) {
        a[DNNL_ARG_SRC_ITER_C] = layer->empty(shapes.state);
        a[DNNL_ARG_DST_ITER_C] = layer->empty(shapes.state);
    }
    auto &b = layer->backward_arguments;
    b = a;
    b[DNNL_ARG_WEIGHTS_LAYER] = layer->laid_out(W, d.back.weights_layer_desc());
    b[DNNL_ARG_WEIGHTS_ITER] = layer->laid_out(U, d.back.weights_iter_desc());
    b[DNNL_ARG_DIFF_DST_LAYER] = d_states;
    b[DNNL_ARG_DIFF_DST_ITER] = layer->filled({1, 1, B, H}, tag::ldnc, d_last);
    b[DNNL_ARG_DIFF_SRC_LAYER] = layer->empty(d.back.diff_src_layer_desc());
    b[DNNL_ARG_DIFF_SRC_ITER] = layer->empty(shapes.state);
    b[DNNL_ARG_DIFF_WEIGHTS_LAYER] = layer->empty(d.back.diff_weights_layer_desc());
    b[DNNL_ARG_DIFF_WEIGHTS_ITER] = layer->empty(d.back.diff_weights_iter_desc());
    b[DNNL_ARG_DIFF_BIAS] = layer->empty(d.back.diff_bias_desc());
    if (has_memory) {
        b[DNNL_ARG_DIFF_DST_ITER_C] = layer->empty(shapes.state);
        b[DNNL_ARG_DIFF_SRC_ITER_C] = layer->empty(shapes.state);
    }
    return layer;
}

}  // namespace

extern "C" {

// The gates are those of oneDNN, in its order: update, reset, candidate; input, forget, candidate,
// output; one.
void *make_layer(long n_gates, long B, long T, long D, long H, const float *x, const float *weights,
                 const float *recurrent, const float *bias, const float *d_last) {
    switch (n_gates) {
    case 1:
        return make<dnnl::vanilla_rnn_forward, dnnl::vanilla_rnn_backward>(
            1, false, B, T, D, H, x, weights, recurrent, bias, d_last);
    case 3:
        return make<dnnl::gru_forward, dnnl::gru_backward>(3, false, B, T, D, H, x, weights, recurrent,
                                                           bias, d_last);
    case 4:
        return make<dnnl::lstm_forward, dnnl::lstm_backward>(4, true, B, T, D, H, x, weights, recurrent,
                                                             bias, d_last);
    }
    return nullptr;
}

// (Gradients of weights are added to what is there, which takes no longer than to write them.)
void run(void *made) {
    auto *layer = static_cast<Layer *>(made);
    layer->forward.execute(layer->stream, layer->forward_arguments);
    layer->backward.execute(layer->stream, layer->backward_arguments);
    layer->stream.wait();
}

void last_state(void *made, float *state) {
    const auto &last = static_cast<Layer *>(made)->last;
    std::memcpy(state, last.get_data_handle(), last.get_desc().get_size());
}
}
