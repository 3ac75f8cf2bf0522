"""Words of texts in scripts that put no spaces between them, which spaces do not tell apart."""

from __future__ import annotations

import re
from collections.abc import Sequence

# So many documents are looked at, and so many tokens of each.
_MOST_DOCUMENTS, _MOST_TOKENS = 500, 200
# Of the letters, from which on a text counts as one in such a script.
_SHARE = 0.5

_HAN = "\u3005\u3007\u3400-\u9fff\uf900-\ufaff\U00020000-\U0003134f"
_HIRAGANA = "\u3041-\u309f"
# Of Thai, Lao, Burmese and Khmer: `\w` has not their vowel signs, which cut words, too.
_SOUTH_EAST = "\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff"
# Longer than nearly all words. Words of katakana alone are long; Korean has spaces.
_CLAUSE = re.compile(f"[{_HAN}{_HIRAGANA}]{{6,}}|[{_HAN}]{{4,}}|[{_SOUTH_EAST}]{{2,}}")


def clauses_taken_for_words(documents: Sequence[Sequence[str]]) -> list[str]:
    """Return some tokens that are no words but clauses or parts of such, if most letters are so.

    Parameters
    ----------
    documents : list of lists of str
        Of which some are looked at.

    Returns
    -------
    list of str
        At most three; none where tokens are words.
    """
    chosen = documents[:: max(1, len(documents) // _MOST_DOCUMENTS)]
    n_letters = n_in_clauses = 0
    examples: list[str] = []
    for tokens in chosen:
        for token in tokens[:_MOST_TOKENS]:
            n_letters += len(token)
            n_found = sum(map(len, _CLAUSE.findall(token)))
            n_in_clauses += n_found
            if n_found and len(examples) < 3 and token not in examples:
                examples.append(token)
    return examples if n_in_clauses > _SHARE * n_letters else []
