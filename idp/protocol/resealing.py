"""After a data key was rotated: cells are sealed anew under the newest, and then the older keys are destroyed.

Bounded and resumable: what is done is done cell by cell, and what is left shows itself by the older key that is still there. Several
processes may do it at once: a cell is replaced only if it is still the one that was read.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from idp.protocol import complaints
from keys.errors import KeyDestroyed

if TYPE_CHECKING:
    from collections.abc import Callable

    from idp.protocol.services import Services

PAGE: Final = 100
MOST: Final = 5_000


@dataclass(frozen=True, slots=True)
class Resealed:
    """What a round did: people looked at, cells sealed anew, older keys destroyed."""

    people: int = 0
    cells: int = 0
    keys: int = 0

    def __add__(self, other: Resealed) -> Resealed:
        """Add up rounds."""
        return Resealed(self.people + other.people, self.cells + other.cells, self.keys + other.keys)


async def reseal(found: Services, most: int = MOST, progress: Callable[[int], None] | None = None) -> Resealed:
    """Go through people with older data keys, at most `most` of them. A key that others may still seal under stays for the next round."""
    done, last = Resealed(), ""
    while done.people < most:
        persons = await found.keyring.subject_keys.superseded(last, min(PAGE, most - done.people))
        if not persons:
            break
        for person in persons:
            done += await _reseal_person(found, person)
        last = persons[-1]
        if progress:
            progress(done.people)
    return done


async def _reseal_person(found: Services, person: str) -> Resealed:
    try:
        newest = await found.keyring.subject_keys.data_key(person, confirmed=True)
        sealed = {value.claim: value for value in await found.accounts.sealed(person)}
        fresh = await found.consent.disclosure.resealed(person, [*sealed.values()])
        replaced = await complaints.resealed(found, person)
    except KeyDestroyed:  # erased meanwhile
        return Resealed(1)
    replaced += [await found.accounts.cells.replace(sealed[claim], cell) for claim, cell in fresh.items()]
    if not all(replaced):  # a value was changed meanwhile, perhaps under an older key: the next round looks again
        return Resealed(1, sum(replaced))
    return Resealed(1, sum(replaced), await found.keyring.subject_keys.drop_generations(person, newest.generation))
