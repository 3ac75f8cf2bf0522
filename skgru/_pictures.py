"""matplotlib, imported when a picture is drawn and not before."""


def import_pyplot(what):
    """Return matplotlib's pyplot, for what is named in the error if there is none."""
    try:
        import matplotlib.pyplot as plt
    except ImportError as error:
        raise ImportError(
            f"Expected matplotlib for {what}, got none: pip install 'skgru[plot]' installs it."
        ) from error
    return plt
