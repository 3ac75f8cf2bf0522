"""What pictures of examples show."""


def bars_of(ax):
    """Return the widths of horizontal bars by their labels."""
    labels = [label.get_text() for label in ax.get_yticklabels()]
    return dict(zip(labels, [bar.get_width() for bar in ax.patches], strict=True))


def lines_of(ax):
    """Return what the lines of the legend show, by their labels."""
    lines = {line.get_label(): line.get_ydata() for line in ax.lines}
    return {label: lines[label] for label in lines if not label.startswith("_")}
