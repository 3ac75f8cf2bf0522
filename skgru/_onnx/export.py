"""Estimators to models of ONNX."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from numpy.typing import NDArray

from skgru._engine.model import parse_inputs
from skgru._onnx.graph import IR_VERSION, ML, ML_OPSET, OPSET, Graph, import_onnx
from skgru._onnx.model_graph import Given, build
from skgru._onnx.signature import BranchInputs, GraphValue, inputs_of, outputs_of, values_for
from skgru._types import AnyEstimator, ArrayLike
from skgru._unwrapping import network_and_transformers
from skgru._version import __version__

if TYPE_CHECKING:
    from onnx import ModelProto
else:  # it need not be installed
    ModelProto = Any


def to_onnx(estimator: AnyEstimator, *, lengths: bool = True) -> ModelProto:
    """Return a fitted network as a model of ONNX, with the same outputs for the same input.

    Every cell, direction, depth, pooling, loss, embedding, scaling, patch and branch has a graph;
    so have missing values and time stamps, random convolutions, bags of tokens and chains of tags.
    What is known of missing values, the value last seen and the time since, is found in the graph
    itself, by the operator Scan, so that its input is X as it is.

    Parameters
    ----------
    estimator : estimator
        A fitted GRUClassifier, GRURegressor, MultimodalGRUClassifier or MultimodalGRURegressor, or
        a search for one.

    lengths : bool, default=True
        Whether the graph has an input of the lengths of sequences, so that what lies beyond them
        has no say. Without, they end where only padding follows: NaN, or 0 of token ids.

    Returns
    -------
    model : onnx.ModelProto
        Checked by ONNX. Its file is what ``model.SerializeToString()`` returns.

    Raises
    ------
    ImportError
        If there is no package onnx: the extra ``skgru[onnx]`` has it.
    NotFittedError, TypeError
        If the estimator is not fitted, or no network.
    ValueError
        If there are transformers before the network, if a branch has the name of an output, if
        ONNX has no type for the classes, as for dates, or if an empty text is a category.

    See Also
    --------
    onnx_inputs : Samples of any form as the inputs of the graph.
    register_skl2onnx : Networks inside of pipelines and other estimators.

    Notes
    -----
    Inputs, of N samples and T steps:

    - ``X``: numbers, float64 (N, T, n_features), NaN where one is missing; token ids, int64 (N, T);
      what was fitted to rows of a table, float64 (N, n_columns), a sequence ending where only NaN
      follows.
    - ``lengths``: int64 (N,), of sequences but those that are rows of a table.

    With several branches they have the names of these: ``steps`` and ``steps__lengths``; of a table
    ``row``, its columns of numbers, float64 (N, n), and ``row__categories``, the others as texts
    ("True" and "False" for truth values, "3" and "0.5" for numbers, "" for a missing one), both in
    the order of the columns; a row of which all cells are missing is none. Of a sparse matrix they
    are ``row``, float64 (N, n), and ``row__lengths``, 1 or 0 where there is none. Branches with
    ``pooling=None`` have the same T. The transformers of branches are not in the graph.

    Outputs: ``label`` and ``probabilities`` of a classifier, as `predict` and `predict_proba`
    return them, ``variable`` of a regressor, and ``std`` with ``loss='gaussian'``. With
    ``pooling=None`` they have an axis for steps, one at least, of which only those that a sequence
    has mean something. Integers are int64, texts of any type strings.

    The graph does not check its input: what the estimator would refuse, as infinite values or time
    stamps that decrease, gives numbers that mean nothing. There may be no sample, and no step.

    The arithmetic is that of `dtype`: in single precision the predictions are the same up to about
    1e-6, in double precision up to rounding.

    Examples
    --------
    >>> import numpy as np
    >>> from skgru import GRUClassifier
    >>> from skgru.interop import onnx_inputs, to_onnx
    >>> rng = np.random.default_rng(0)
    >>> X = [rng.normal(size=(n, 2)) for n in rng.integers(3, 9, 40)]
    >>> y = ["up" if x[-1, 0] > 0 else "down" for x in X]
    >>> clf = GRUClassifier(8, max_iter=20, random_state=0).fit(X, y)
    >>> model = to_onnx(clf)  # doctest: +SKIP
    >>> session = onnxruntime.InferenceSession(model.SerializeToString())  # doctest: +SKIP
    >>> label, p = session.run(None, onnx_inputs(clf, X))  # doctest: +SKIP
    >>> (label == clf.predict(X)).all()  # doctest: +SKIP
    np.True_
    """
    onnx = import_onnx()
    network = _network_of(estimator)
    model = network._fitted_model()
    g = Graph()
    inputs = inputs_of(model, lengths=lengths)
    _check_names(inputs, outputs_of(model))
    names = [[part and part.name for part in of_branch] for of_branch in inputs.values()]
    given = {branch: Given(*of_branch) for branch, of_branch in zip(inputs, names, strict=True)}
    results = build(g, model, given)
    for name, result in results.items():
        g.nodes.append(onnx.helper.make_node("Identity", [result], [name], name=f"{name}_out"))
    make_info = onnx.helper.make_tensor_value_info
    graph = onnx.helper.make_graph(
        g.nodes,
        type(network).__name__,
        [
            make_info(part.name, g.type_of(part.dtype), part.shape)
            for of_branch in inputs.values()
            for part in of_branch.present
        ],
        [make_info(name, g.type_of(dtype), shape) for name, dtype, shape in outputs_of(model)],
        g.constants,
    )
    made: ModelProto = onnx.helper.make_model(
        graph,
        opset_imports=[onnx.helper.make_opsetid("", OPSET), onnx.helper.make_opsetid(ML, ML_OPSET)],
        ir_version=IR_VERSION,
        producer_name="skgru",
        producer_version=__version__,
    )
    onnx.checker.check_model(made, full_check=True)
    return made


def onnx_inputs(
    estimator: AnyEstimator, X: ArrayLike, *, lengths: bool = True
) -> dict[str, NDArray[Any]]:
    """Return samples in the form of the inputs of the graph that `to_onnx` makes.

    It shows what another program has to hand to the graph. It needs no package onnx.

    Parameters
    ----------
    estimator : estimator
        As for `to_onnx`.

    X : array-like
        Samples, in any form that it takes; the transformers of branches are applied.

    lengths : bool, default=True
        As for `to_onnx`.

    Returns
    -------
    inputs : dict of ndarray
        By the names of the inputs.

    Raises
    ------
    NotFittedError, TypeError, ValueError
        If the estimator is not fitted, or no network, or would not take X. If a row has an empty
        text as a category, or a transformer has left nothing of it.

    Examples
    --------
    >>> import numpy as np
    >>> from skgru import GRURegressor
    >>> from skgru.interop import onnx_inputs
    >>> X = [np.array([[0.5], [1.5]]), np.array([[2.5]])]
    >>> reg = GRURegressor(4, max_iter=2, random_state=0).fit(X, [1.0, 2.0])
    >>> inputs = onnx_inputs(reg, X)
    >>> inputs["X"][..., 0]
    array([[0.5, 1.5],
           [2.5, nan]])
    >>> inputs["lengths"]
    array([2, 1])
    """
    network = _network_of(estimator)
    model = network._fitted_model()
    parsed = parse_inputs(model.own_inputs, network._open(X))
    return values_for(model, parsed, inputs_of(model, lengths=lengths))


def _check_names(inputs: Mapping[str, BranchInputs], outputs: Sequence[GraphValue]) -> None:
    """Refuse a branch that has the name of an output."""
    taken = [value.name for value in outputs if value.name in inputs]
    if taken:
        raise ValueError(
            f"The graph has an output {taken[0]!r}, and a branch of that name: expected a network "
            "with another name of the branch."
        )


def _network_of(estimator: Any) -> Any:
    """Return the fitted network, of which a search may be given.

    Raises
    ------
    ValueError
        If there are transformers before it.
    """
    network, transformers = network_and_transformers(estimator)
    if transformers:
        named = ", ".join(type(part).__name__ for part in transformers)
        raise ValueError(
            f"Expected a network by itself, got a pipeline with {named} before it, of which the "
            "graph would know nothing: give its last step, and what they return as X. Transformers "
            "that skl2onnx knows go with skgru.interop.register_skl2onnx()."
        )
    return network
