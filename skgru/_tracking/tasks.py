"""The tasks of scikit-learn's callbacks: which fit they belong to, and where it stands."""

from skgru._compat import CallbackSupportMixin


def require_callbacks(name):
    """Refuse a version of scikit-learn that has no callbacks, for the one of this name."""
    if not hasattr(CallbackSupportMixin, "set_callbacks"):
        raise ImportError(f"{name} is a callback of scikit-learn: expected version 1.9 or later.")


def fit_of(context):
    """Return the task that is the whole fit of an estimator, given any task of that fit."""
    while context.parent is not None and context.source_task_name is None:
        context = context.parent
    return context


def names_of_tasks(context, without=()):
    """Return the names of the tasks that a fit is part of, from the outermost's first task on.

    Those of estimators of which the class is named in `without` are left out.
    """
    names = []
    while context.parent is not None:
        if (context.source_estimator_name or context.estimator_name) not in without:
            names.append(f"{context.source_task_name or context.task_name}-{context.task_id}")
        context = context.parent
    return names[::-1]
