"""The estimators of several inputs: their branches, and X to what each branch reads."""

from __future__ import annotations

from numbers import Integral, Real
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray
from sklearn import get_config
from sklearn.base import clone
from sklearn.utils import Bunch
from sklearn.utils.metadata_routing import MetadataRouter, MethodMapping, process_routing
from sklearn.utils.validation import check_is_fitted, validate_data

from skgru._base import BaseNetwork
from skgru._compat import Interval, StrOptions, is_array, names_of, take
from skgru._data.arrays import as_array
from skgru._data.forms import check_container, is_container, is_frame, is_sequence
from skgru._data.kinds import make_input
from skgru._data.selection import Selection, select, take_columns
from skgru._data.stacking import LONG_TABLE
from skgru._data.targets import as_targets, as_weights, parse_groups
from skgru._data.training_set import name_of_target
from skgru._defaults import stops_early
from skgru._engine.holding_out import split
from skgru._engine.model import naming
from skgru._engine.request import Given
from skgru._engine.solvers import SOLVERS
from skgru._nn.dropout import FusionRates
from skgru._options import hidden_sizes
from skgru._settings import Settings
from skgru._spec import FusionSpec
from skgru._types import ArrayLike
from skgru.branches import BaseBranch, TableBranch

_EXPECTED = (
    "Expected branches to be a list of (name, branch, columns), the branch a TokenBranch, a "
    "SeriesBranch, a TableBranch or 'drop'"
)
# The weights of the branches, among their outputs.
_GATE = "gate"
# The branch that reads the columns that no other one names.
_REMAINDER = "remainder"


class MultimodalGRU(BaseNetwork):
    """Base of the estimators of several inputs, which see for the parameters."""

    _parameter_constraints: dict[str, Any] = {
        **BaseNetwork._parameter_constraints,
        "branches": [list, tuple],
        "fusion": [StrOptions({"concat", "gated"})],
        "hidden_layer_sizes": ["array-like", Interval(Integral, 1, None, closed="left")],
        "dropout": [StrOptions({"auto"}), Interval(Real, 0, 1, closed="left")],
        "branch_dropout": [Interval(Real, 0, 1, closed="left")],
        "remainder": [StrOptions({"drop"}), TableBranch],
    }

    # --- The parameters of the branches, as ColumnTransformer has those of its transformers ------

    def get_params(self, deep: bool = True) -> dict[str, Any]:
        """Return the parameters, with `deep` also the branches by name and their parameters.

        Parameters
        ----------
        deep : bool, default=True
            Whether those of the branches are returned too.

        Returns
        -------
        params : dict
            Names and values.
        """
        params = super().get_params(deep=deep)
        if deep:
            for name, branch in self._named_branches():
                params[name] = branch
                if hasattr(branch, "get_params"):
                    nested = branch.get_params(deep=True)
                    params |= {f"{name}__{key}": value for key, value in nested.items()}
        return params

    def set_params(self, **params: Any) -> Self:
        """Set parameters, branches by their names, and parameters of branches.

        Parameters
        ----------
        **params : dict
            ``fusion="gated"``; ``note="drop"``; ``note__embedding_dim=32``.

        Returns
        -------
        self : object
            The estimator.

        Raises
        ------
        ValueError
            If there is no such parameter, with a hint at the one that was meant.
        """
        if "branches" in params:
            self.branches = params.pop("branches")
        branches = dict(self._named_branches())
        replaced = {name: params.pop(name) for name in list(params) if name in branches}
        nested: dict[str, dict[str, Any]] = {}
        for key in list(params):
            name, _, parameter = key.partition("__")
            if parameter and name in branches:
                nested.setdefault(name, {})[parameter] = params.pop(key)
        if params:
            super().set_params(**params)
        if replaced:
            self.branches = [
                (item[0], replaced[item[0]], item[2])
                if isinstance(item, list | tuple) and item and item[0] in replaced
                else item
                for item in self.branches
            ]
            branches |= replaced
        for name, of_branch in nested.items():
            if not hasattr(branches[name], "set_params"):
                raise ValueError(
                    f"Branch {name!r} is {branches[name]!r}, which has no parameters: cannot set "
                    f"{', '.join(of_branch)}."
                )
            branches[name].set_params(**of_branch)
        return self

    def _named_branches(self):
        """Return the names and the branches, as far as the parameter holds such."""
        branches = self.branches if isinstance(self.branches, list | tuple) else []
        return [
            (item[0], item[1])
            for item in branches
            if isinstance(item, list | tuple) and len(item) == 3 and isinstance(item[0], str)
        ]

    def _check_branches(self):
        """Refuse branches that are not understood; validate the parameters of the others."""
        if not len(self.branches):
            raise ValueError(f"{_EXPECTED}, got none.")
        for item in self.branches:
            if not (isinstance(item, list | tuple) and len(item) == 3):
                raise ValueError(f"{_EXPECTED}, got {item!r}.")
            name, branch, _ = item
            if not isinstance(name, str):
                raise TypeError(f"{_EXPECTED}, got the name {name!r}.")
            if "__" in name or "." in name or not name:
                raise ValueError(
                    f"Names of branches must not be empty, nor contain '__' or '.', got {name!r}."
                )
            if name == _GATE:
                raise ValueError(
                    f"The name {name!r} of a branch is that of the weights of the branches in "
                    "output_indices_: expected another one."
                )
            if name in self._get_param_names():
                raise ValueError(
                    f"The name {name!r} of a branch is that of a parameter: expected another one."
                )
            if isinstance(branch, str) and branch == "drop":
                continue
            if not isinstance(branch, BaseBranch):
                hint = ""
                if isinstance(branch, type):
                    hint = f" Make an object of the class: {branch.__name__}()."
                elif hasattr(branch, "transform"):
                    hint = " A transformer goes into a branch, such as TokenBranch(transformer)."
                raise TypeError(f"{_EXPECTED}, got {branch!r} as branch {name!r}.{hint}")
            with naming(name):
                branch._validate_params()
                branch._check_transformer()
        if isinstance(self.remainder, BaseBranch):
            with naming(_REMAINDER):
                self.remainder._validate_params()
                self.remainder._check_transformer()
        names = [name for name, *_ in self.branches]
        if len(set(names)) < len(names):
            raise ValueError(f"Names of branches must be unique, got {names}.")
        if all(isinstance(branch, str) for _, branch, _ in self.branches):
            raise ValueError("All branches are dropped: expected at least one that is read.")

    # --- Given to the base -----------------------------------------------------------------------

    def _branch_settings(self, settings: Settings) -> dict[str, Settings]:
        self._check_branches()
        name = type(self).__name__
        return {
            key: branch._settings(name)
            for key, branch, _ in self._given_branches
            if isinstance(branch, BaseBranch)
        }

    @property
    def _given_branches(self):
        """The branches as they are given, and that of the other columns, if these are read."""
        is_read = isinstance(self.remainder, BaseBranch)
        rest = [(_REMAINDER, self.remainder, None)] if is_read else []
        return [*self.branches, *rest]

    def _fusion(self, settings):
        spec = FusionSpec(settings.fusion, hidden_sizes(settings), knows_absence=True)
        dropout = None if settings.is_auto("dropout") else settings.dropout
        return spec, FusionRates(dropout, settings.branch_dropout)

    @property
    def _has_step_targets(self):
        branches = self.branches if isinstance(self.branches, list | tuple) else []
        parts = [part for item in branches if isinstance(item, tuple) for part in item]
        return any(getattr(part, "pooling", "") is None for part in parts)

    def _give(self, training, validation, *, reset, request):
        X = self._check(training.X, reset=reset)
        n = X.shape[0]
        y = _of_samples(training.y, n, as_targets, "targets of y")
        weights = _of_samples(training.sample_weight, n, as_weights, "weights in sample_weight")
        groups = parse_groups(training.groups, n)
        kept = _with_weight(weights, n)
        if reset:
            self._select(X)
        else:
            self._renew_branches(X)
        held_out, has_held_out = None, False
        if validation.X is None and self._holds_out(request, len(kept)):
            strata = self._strata(request, y, weights, kept)
            of_kept = None if groups is None else groups[kept]
            to_train, to_validate = split(len(kept), strata, request.settings, request.rng, of_kept)
            kept, held_out = kept[to_train], kept[to_validate]
            has_held_out = True
        if len(kept) < n:
            self._parse_all(X, request)
        # Transformers learn from the samples to train on alone.
        routed = self._routed(request, n, weights, training.groups) if reset else {}
        given = self._given(X, y, weights, kept, fits=reset, routed=routed)
        if groups is not None:
            given = given._replace(groups=groups[kept])
        if held_out is not None:
            to_validate = self._given(X, y, weights, held_out)
        elif validation.X is not None:
            X_val = self._check(validation.X, reset=False)
            every = np.arange(X_val.shape[0])
            to_validate = self._given(X_val, validation.y, validation.sample_weight, every)
        else:
            to_validate = None
        return given, to_validate, has_held_out

    def _parse_all(self, X, request):
        """Refuse what no branch reads, before rows are left out: so errors count all of them."""
        for name, branch, selection in self._read_branches():
            if branch.transformer is None:
                with naming(name):
                    make_input(branch._open(take_columns(X, selection)), request.branches[name])

    def _given(self, X, y, weights, rows, *, fits=False, routed=None):
        """Return some samples, opened; with `fits`, fit the transformers to them.

        `routed` is what metadata the transformer of each branch is fitted with.
        """
        routed = routed or {}
        if len(rows) < X.shape[0]:
            X, y = take(X, rows), take(y, rows)
            is_one = weights is None or isinstance(weights, Real)
            weights = weights if is_one else take(weights, rows)
            routed = {
                branch: {name: take(values, rows) for name, values in metadata.items()}
                for branch, metadata in routed.items()
            }
        return Given(self._open_branches(X, y, fits=fits, routed=routed), y, weights, rows)

    def _routed(self, request, n, weights, groups):
        """Return what the transformer of each branch has requested of the metadata of n samples."""
        if not get_config()["enable_metadata_routing"]:
            return {}
        weights = np.full(n, float(weights)) if isinstance(weights, Real) else weights
        given = {"sample_weight": weights, "groups": groups}
        given = {name: values for name, values in given.items() if values is not None}
        routed = process_routing(self, "partial_fit" if request.incremental else "fit", **given)
        return {name: routed[name]["fit"] for name in self._transformers()}

    def _transformers(self):
        """Return the transformers of the branches, by the names of these."""
        branches = [*self._named_branches(), (_REMAINDER, self.remainder)]
        return {
            name: branch.transformer
            for name, branch in branches
            if isinstance(branch, BaseBranch) and branch.transformer is not None
        }

    def _open(self, X):
        return self._open_branches(self._check(X, reset=False))

    def _open_branches(self, X, y=None, *, fits=False, routed=None):
        opened, routed = {}, routed or {}
        for name, branch, selection in self._read_branches():
            with naming(name):
                opened[name] = branch._open(
                    take_columns(X, selection), y, fits=fits, metadata=routed.get(name)
                )
        return opened

    def _names_of_columns(self, branch):
        """Return the names of the columns that a branch reads as they are, if they have any."""
        names = getattr(self, "_names", [])
        for name, part, selection in self._read_branches():
            if name == branch and part.transformer is None and names:
                return [names[j] for j in selection.indices]
        return []

    def _read_branches(self):
        """Return the fitted branches that are read: name, branch and columns."""
        return [
            (name, branch, Selection(*selection))
            for (name, branch, _), selection in zip(self.branches_, self._selections, strict=True)
            if isinstance(branch, BaseBranch) and selection[0]
        ]

    def _select(self, X):
        """Set clones of the branches, and which columns of X are theirs."""
        branches, selections = [], []
        for name, branch, columns in self.branches:
            selection = Selection((), False)
            if isinstance(branch, BaseBranch):
                with naming(name):
                    selection = select(X, columns)
                    if not selection.indices:
                        raise ValueError(f"expected at least one column, got {columns!r}.")
                branch = clone(branch)
            branches.append((name, branch, selection.indices))
            selections.append(tuple(selection))
        if isinstance(self.remainder, BaseBranch):
            dropped = [
                select(X, columns).indices
                for _, branch, columns in self.branches
                if not isinstance(branch, BaseBranch)
            ]
            named = set().union(*dropped, *(indices for indices, *_ in selections))
            others = tuple(j for j in range(X.shape[1]) if j not in named)
            branches.append((_REMAINDER, clone(self.remainder), others))
            selections.append((others, False))
        self.branches_, self._selections = branches, selections

    def _renew_branches(self, X):
        """Set clones of the branches as they are now, with the transformers fitted before.

        Raises
        ------
        ValueError
            If there are other branches, or one is said to have other columns or another
            transformer.
        """
        before = {name: branch for name, branch, _ in self.branches_}
        now = {name: branch for name, branch, _ in self._given_branches}
        same = before.keys() == now.keys()
        if not same or any(type(before[name]) is not type(now[name]) for name in now):
            raise ValueError(
                "Training can go on only with the branches that were fitted: expected "
                f"{_kinds(before)}, got {_kinds(now)}."
            )
        for (name, branch, indices), (*_, columns) in zip(
            self.branches_, self._in_order_of_fit(), strict=True
        ):
            # What a callable returns may depend on the rows.
            if not isinstance(branch, BaseBranch) or callable(columns) or columns is None:
                continue
            with naming(name):
                if select(X, columns).indices != indices:
                    raise ValueError(
                        "training can go on only with the columns that were fitted: expected those "
                        f"at {list(indices)}, got {columns!r}."
                    )
        branches = []
        for name, branch, indices in self.branches_:
            if isinstance(branch, BaseBranch):
                renewed = clone(now[name])
                if type(renewed.transformer) is not type(branch.transformer):
                    raise ValueError(
                        f"Branch {name!r}: training can go on only with the transformer that was "
                        f"fitted: expected {branch.transformer!r}, got {renewed.transformer!r}."
                    )
                vars(renewed).update(
                    {key: value for key, value in vars(branch).items() if key.endswith("_")}
                )
                branch = renewed
            branches.append((name, branch, indices))
        self.branches_ = branches

    def _in_order_of_fit(self):
        """Return the branches as they are given now, in the order in which they were fitted."""
        given = {name: (name, branch, columns) for name, branch, columns in self._given_branches}
        return [given[name] for name, *_ in self.branches_]

    def _holds_out(self, request, n):
        settings = request.settings
        is_stochastic = SOLVERS[settings.solver].is_stochastic
        return is_stochastic and stops_early(
            settings,
            n,
            is_stochastic=is_stochastic,
            validates=False,
            incremental=request.incremental,
        )

    def _strata(self, request, y, weights, kept):
        """Return the classes of the samples that are kept, (n,), or None."""
        per_step = any(part.get("pooling", "auto") is None for part in request.branches.values())
        if per_step:
            return None
        labels = request.loss.check(as_targets(y), name_of_target)[kept]
        ones = np.ones(len(labels))
        loss = request.loss.bind(request.loss.learn(labels, ones, request.classes))
        return loss.strata(loss.encode(labels, ones).targets)

    def _check(self, X, *, reset):
        """Return X as a table of a row per sample; compare its columns, or with `reset` keep them.

        Raises
        ------
        ValueError, TypeError
            If it is none, or has other columns than in fit.
        """
        if is_frame(X):
            if len(X.shape) != 2 or X.shape[0] == 0:
                raise ValueError(
                    f"Found array with 0 sample(s) (shape={tuple(X.shape)}) while a minimum of 1 "
                    "is required."
                )
            validate_data(self, X, skip_check_array=True, reset=reset)
            self._check_names(X, reset=reset)
            return X
        if not hasattr(X, "toarray"):
            check_container(X)
            X = _as_objects(X) if isinstance(X, list | tuple) else as_array(X)
        return validate_data(self, X, dtype=None, ensure_all_finite=False, reset=reset)

    def _check_names(self, X, *, reset):
        """Compare the names of columns, of which scikit-learn reads not all containers have any."""
        names = list(map(str, names_of(X)))
        if reset:
            self._names = names
        elif names != self._names:
            raise ValueError(
                "The feature names should match those that were passed during fit: expected "
                f"{self._names}, in this order, got {names}."
            )

    # --- Fitted attributes -----------------------------------------------------------------------

    def _publish_inputs(self, model):
        for name, branch, _ in self._read_branches():
            for key in model.inputs[name].attribute_names:
                vars(branch).pop(key, None)
            vars(branch).update(model.inputs[name].attributes)
        indices = dict(model.network.fusion.columns)
        n_features, n_joined = model.network.fusion.n_features, model.network.fusion.n_joined
        if n_joined > n_features:
            indices[_GATE] = slice(n_features, n_joined)
        self.output_indices_ = indices

    @property
    def named_branches_(self) -> Bunch:
        """The fitted branches by name, without those that are dropped."""
        check_is_fitted(self)
        return Bunch(**{name: branch for name, branch, _ in self._read_branches()})

    @property
    def _said_scaling(self):
        return "see the scaling of the branches"

    # --- Metadata --------------------------------------------------------------------------------

    def get_metadata_routing(self) -> Any:
        """Return what metadata the network takes, and what the transformers of its branches do.

        Returns
        -------
        routing : MetadataRouter
            Of scikit-learn: see its user guide on metadata routing.
        """
        mapping = MethodMapping().add(caller="fit", callee="fit")
        mapping.add(caller="partial_fit", callee="fit")
        router = MetadataRouter(owner=self).add_self_request(self)
        return router.add(**self._transformers(), method_mapping=mapping)

    # --- Features for other estimators -----------------------------------------------------------

    def transform(self, X: ArrayLike) -> NDArray[Any]:
        """Return the outputs of the branches: features for another estimator.

        Parameters
        ----------
        X : array-like
            Samples, as for `fit`.

        Returns
        -------
        features : ndarray of shape (n_samples, n_features_out)
            The outputs of all branches side by side, see `output_indices_`; behind them, with
            ``fusion='gated'``, the weight of each branch, which is 0 where the sample is without
            it.

        Raises
        ------
        ValueError
            If a branch has no pooling.
        """
        model = self._fitted_model()
        if model.per_step:
            raise ValueError("transform needs a pooling in each branch, got pooling=None.")
        return self._run(model, X, "pooled").values

    def get_feature_names_out(self, input_features: None = None) -> NDArray[Any]:
        """Return the names of the columns of `transform`.

        Parameters
        ----------
        input_features : None
            Not used.

        Returns
        -------
        names : ndarray of str
            The name of the branch and a number, ``note_0``; of the weights ``gate_note``.
        """
        check_is_fitted(self)
        names = []
        for name, columns in self.output_indices_.items():
            if name != _GATE:
                names += [f"{name}_{i}" for i in range(columns.stop - columns.start)]
        if _GATE in self.output_indices_:
            names += [f"{_GATE}_{name}" for name, *_ in self._read_branches()]
        return np.array(names, object)

    # --- scikit-learn ----------------------------------------------------------------------------

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.input_tags.allow_nan = True
        tags.input_tags.string = True
        tags.input_tags.categorical = True
        return tags


def _kinds(branches):
    """Return the kinds of branches by name, for an error."""
    kinds = {
        name: branch if isinstance(branch, str) else type(branch).__name__
        for name, branch in branches.items()
    }
    return ", ".join(f"{name} ({kind})" for name, kind in kinds.items())


def _of_samples(values, n, read, what):
    """Return targets or weights of n samples in a container that those of some can be taken of.

    Raises
    ------
    ValueError, TypeError
        If there are not n of them, or they have no order, of which `read` says so.
    """
    if values is None or isinstance(values, Real):
        return values
    if not is_container(values) or getattr(values, "ndim", 1) == 0:
        read(values)
    if not hasattr(values, "shape"):
        values = as_array(values) if is_array(values) else list(values)
    found = values.shape[0] if hasattr(values, "shape") else len(values)
    if found != n:
        hint = f" Each row of X is one sample. {LONG_TABLE}." if found < n else ""
        raise ValueError(
            f"Found input variables with inconsistent numbers of samples: [{n}, {found}] "
            f"(samples of X, {what}).{hint}"
        )
    return values


def _with_weight(sample_weight, n):
    """Return the samples that weigh something, or all if none does, for the engine to refuse."""
    weights = as_weights(sample_weight)
    if not isinstance(weights, np.ndarray):
        return np.arange(n)
    if weights.dtype == object:  # those of the steps of each sample
        weights = np.array([np.any(as_array(part) != 0) for part in weights])
    weigh = np.flatnonzero(weights.reshape(n, -1).any(axis=1))
    return weigh if len(weigh) else np.arange(n)


def _as_objects(rows):
    """Return rows of Python as an array of two dimensions, with their cells as they are."""
    array = as_array(rows)
    if array.ndim == 2 or not len(rows) or not all(map(is_sequence, rows)):
        return array
    widths = {len(row) for row in rows}
    if len(widths) > 1:
        raise ValueError(
            f"Expected rows of the same number of cells, got rows of {sorted(widths)[:5]} cells."
        )
    cells = np.empty((len(rows), widths.pop()), object)
    for i, row in enumerate(rows):
        for j, cell in enumerate(row):
            cells[i, j] = cell
    return cells
