"""Events for question answering: verbs with paraphrases and objects."""

from typing import NamedTuple


class Verb(NamedTuple):
    """One verb for an event: past `bought`, base `buy`, participle `bought`."""

    past: str
    base: str
    participle: str


# (verbs, objects). Training questions paraphrase the first two verbs by each other; the others are for test questions.
EVENTS = [
    (
        [
            Verb("bought", "buy", "bought"),
            Verb("purchased", "purchase", "purchased"),
            Verb("acquired", "acquire", "acquired"),
        ],
        "violin boat farm carpet painting horse piano mirror tractor".split(),
    ),
    (
        [Verb("repaired", "repair", "repaired"), Verb("fixed", "fix", "fixed"), Verb("mended", "mend", "mended")],
        "clock roof bicycle engine fence radio lamp pump boat".split(),
    ),
    (
        [
            Verb("founded", "found", "founded"),
            Verb("set up", "set up", "set up"),
            Verb("established", "establish", "established"),
        ],
        "school club museum bakery theatre library newspaper orchestra clinic".split(),
    ),
    (
        [
            Verb("built", "build", "built"),
            Verb("constructed", "construct", "constructed"),
            Verb("erected", "erect", "erected"),
        ],
        "bridge tower barn chapel statue dam cottage mill fence".split(),
    ),
    (
        [
            Verb("found", "find", "found"),
            Verb("discovered", "discover", "discovered"),
            Verb("unearthed", "unearth", "unearthed"),
        ],
        "coin ring map sword letter vase fossil key diary".split(),
    ),
    (
        [Verb("stole", "steal", "stolen"), Verb("took", "take", "taken"), Verb("snatched", "snatch", "snatched")],
        "wallet necklace camera bag ring painting watch statue laptop".split(),
    ),
    (
        [Verb("wrote", "write", "written"), Verb("composed", "compose", "composed"), Verb("penned", "pen", "penned")],
        "poem song novel letter hymn ballad speech play diary".split(),
    ),
    (
        [Verb("closed", "close", "closed"), Verb("shut", "shut", "shut"), Verb("shut down", "shut down", "shut down")],
        "factory mine hotel school bakery theatre cinema market mill".split(),
    ),
    (
        [Verb("sold", "sell", "sold"), Verb("auctioned", "auction", "auctioned"), Verb("traded", "trade", "traded")],
        "horse carpet vase farm necklace piano tractor cottage sword".split(),
    ),
    (
        [
            Verb("lost", "lose", "lost"),
            Verb("mislaid", "mislay", "mislaid"),
            Verb("misplaced", "misplace", "misplaced"),
        ],
        "wallet key passport map camera ticket bag watch letter".split(),
    ),
]
COLOURS = "red blue green yellow white black grey brown".split()
MONTHS = "January February March April May June July August September October November December".split()
WEEKDAYS = "Monday Tuesday Wednesday Thursday Friday Saturday Sunday".split()
