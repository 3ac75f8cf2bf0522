"""A converter of skl2onnx: networks as parts of pipelines and of estimators of scikit-learn."""

from __future__ import annotations

from typing import Any

import numpy as np

from skgru._onnx.graph import ML, ML_OPSET, OPSET, Graph
from skgru._onnx.model_graph import Given, build
from skgru._onnx.signature import GraphValue, inputs_of, outputs_of
from skgru.classifier import GRUClassifier
from skgru.regressor import GRURegressor

_OPTIONS = {
    "zipmap": [True, False, "columns"],
    "nocl": [True, False],
    "output_class_labels": [False, True],
}


def register_skl2onnx() -> None:
    """Tell skl2onnx how to convert GRUClassifier and GRURegressor.

    Then ``skl2onnx.to_onnx`` and ``convert_sklearn`` take them alone, at the end of pipelines, and
    inside of estimators of scikit-learn that skl2onnx knows, as CalibratedClassifierCV and
    StackingClassifier. The input is X in two or three dimensions, in which sequences end where only
    NaN follows, or only zeros after token ids; a second input, if the network stands alone, is
    their lengths, of int64.

    Raises
    ------
    ImportError
        If there is no skl2onnx: the extra ``skgru[skl2onnx]`` has it.

    See Also
    --------
    to_onnx : The graph of a network by itself, which needs the package onnx alone.

    Notes
    -----
    What comes in double precision gives probabilities in double precision, as from most of
    scikit-learn's classifiers. skl2onnx makes dictionaries of probabilities unless it is told not
    to, and ONNX Runtime makes them of single precision alone: hence the option ``zipmap`` below.

    Examples
    --------
    >>> from sklearn.pipeline import make_pipeline
    >>> from sklearn.preprocessing import StandardScaler
    >>> from skgru import GRUClassifier
    >>> from skgru.interop import register_skl2onnx
    >>> X = [[0.0, 1.0, 2.0], [2.0, 1.0, 0.0]] * 20
    >>> pipeline = make_pipeline(StandardScaler(), GRUClassifier(4, max_iter=2, random_state=0))
    >>> pipeline = pipeline.fit(X, ["up", "down"] * 20)
    >>> register_skl2onnx()  # doctest: +SKIP
    >>> options = {"zipmap": False}  # probabilities as an array
    >>> model = skl2onnx.to_onnx(pipeline, np.array(X), options=options)  # doctest: +SKIP
    """
    skl2onnx = _import_skl2onnx()
    for kind in (GRUClassifier, GRURegressor):
        options = _OPTIONS if kind is GRUClassifier else None
        skl2onnx.update_registered_converter(
            kind, f"Skgru{kind.__name__}", _set_types, _convert, options=options
        )


def _import_skl2onnx() -> Any:
    try:
        import skl2onnx
    except ImportError as error:
        raise ImportError(
            "Expected the package skl2onnx to register a converter with, got none: "
            "pip install 'skgru[skl2onnx]' installs it."
        ) from error
    return skl2onnx


def _set_types(operator: Any) -> None:
    """Set the types of the outputs of an operator of skl2onnx."""
    n = len(operator.inputs)
    if n not in (1, 2):
        raise ValueError(f"Expected X, and maybe the lengths of its sequences, got {n} inputs.")
    n_samples = operator.inputs[0].get_first_dimension()
    for variable, value in zip(operator.outputs, _outputs_of(operator), strict=False):
        shape = [n_samples, *(n if isinstance(n, int) else None for n in value.shape[1:])]
        variable.set_type(_type_of(value.dtype)(shape))


def _outputs_of(operator: Any) -> list[GraphValue]:
    """Return the outputs of a network, as skl2onnx has them.

    Double precision in, double precision out, else single; one number for each sample is a column.
    """
    from skl2onnx.common.data_types import DoubleTensorType

    is_double = isinstance(operator.inputs[0].type, DoubleTensorType)
    real = np.float64 if is_double else np.float32
    values = outputs_of(operator.raw_operator._fitted_model())
    of_numbers = [value._replace(dtype=real) for value in values if value.name != "label"]
    columns = [v._replace(shape=(*v.shape, 1)) if len(v.shape) == 1 else v for v in of_numbers]
    return [value for value in values if value.name == "label"] + columns


def _type_of(dtype: Any) -> Any:
    """Return a type of skl2onnx."""
    from skl2onnx.common import data_types

    names = {"f4": "Float", "f8": "Double", "i8": "Int64", "b1": "Boolean"}
    name = names.get(np.dtype(dtype).str[1:], "String")
    return getattr(data_types, f"{name}TensorType")


def _convert(scope: Any, operator: Any, container: Any) -> None:
    """Add the nodes of a network to a graph of skl2onnx."""
    opset = container.target_opset_onnx
    if opset < OPSET:
        raise ValueError(f"Expected a target_opset of at least {OPSET}, got {opset}.")
    g = Graph(opset, f"{scope.get_unique_operator_name('skgru')}_")
    model = operator.raw_operator._fitted_model()
    names = [variable.onnx_name for variable in operator.inputs]
    ((branch, expected),) = inputs_of(model, lengths=len(names) == 2).items()
    assert expected.values is not None
    if len(names) == 2 and expected.lengths is None:
        raise ValueError(
            "The network was fitted to rows of a table, whose trailing NaN are padding: expected X "
            "alone, got lengths too."
        )
    X = g.cast(names[0], expected.values.dtype)
    lengths = g.cast(names[1], np.int64) if len(names) == 2 else None
    results = build(g, model, {branch: Given(X, None, lengths)})
    for value, own in zip(_outputs_of(operator), outputs_of(model), strict=True):
        if value.dtype != own.dtype:
            results[value.name] = g.cast(results[value.name], value.dtype)
        if len(value.shape) > len(own.shape):
            results[value.name] = g.unsqueeze(results[value.name], 1)
    for tensor in g.constants:
        _add_constant(container, tensor)
    for node in g.nodes:
        _add_node(container, node)
    for variable, name in zip(operator.outputs, results.values(), strict=False):
        container.add_node(
            "Identity",
            [name],
            [variable.onnx_name],
            name=scope.get_unique_operator_name("Identity"),
        )


def _add_constant(container: Any, tensor: Any) -> None:
    import onnx

    content = tensor
    if tensor.data_type == onnx.TensorProto.STRING:
        content = list(tensor.string_data)
    container.add_initializer(tensor.name, tensor.data_type, list(tensor.dims), content)


def _add_node(container: Any, node: Any) -> None:
    import onnx

    attributes = {a.name: onnx.helper.get_attribute_value(a) for a in node.attribute}
    container.add_node(
        node.op_type,
        list(node.input),
        list(node.output),
        op_domain=node.domain,
        name=node.name,
        op_version=ML_OPSET if node.domain == ML else None,
        **attributes,
    )
