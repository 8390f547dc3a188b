"""Words of praise and blame. The second list of every pair never occurs in the training rows of the sentiment task."""

# domain -> things
THINGS = {
    "food": "soup steak breakfast dessert pizza fish coffee bread salad curry cake lunch".split(),
    "place": "room hotel flat bathroom lobby campsite apartment cabin hostel lounge".split(),
    "art": "film novel play concert plot series album show story musical ending".split(),
    "device": "phone laptop camera printer kettle bike headset watch heater toaster".split(),
    "service": "waiter receptionist driver guide nurse clerk salesman barber cook plumber".split(),
}
# domain -> polarity -> (seen in training, held out)
ADJECTIVES = {
    "any": {
        "positive": (
            "good great wonderful excellent fantastic lovely pleasant brilliant superb impressive terrific perfect".split(),
            "splendid delightful marvellous outstanding remarkable charming amazing exquisite stunning fabulous".split(),
        ),
        "negative": (
            "bad terrible awful poor horrible dreadful disappointing unpleasant weak appalling lousy miserable".split(),
            "annoying dismal mediocre useless pathetic shoddy atrocious ghastly abysmal horrid".split(),
        ),
    },
    "food": {
        "positive": ("delicious tasty fresh juicy".split(), "flavourful succulent appetising crisp".split()),
        "negative": ("stale bland burnt greasy".split(), "soggy tasteless inedible rubbery".split()),
    },
    "place": {
        "positive": ("clean cosy spacious quiet".split(), "comfortable bright tidy elegant".split()),
        "negative": ("dirty noisy cramped shabby".split(), "filthy damp smelly gloomy".split()),
    },
    "art": {
        "positive": ("gripping moving clever funny".split(), "thrilling touching witty captivating".split()),
        "negative": ("boring dull tedious predictable".split(), "silly pointless clumsy lifeless".split()),
    },
    "device": {
        "positive": ("reliable fast sturdy handy".split(), "robust smooth precise durable".split()),
        "negative": ("slow faulty fragile flimsy".split(), "unreliable clunky wobbly defective".split()),
    },
    "service": {
        "positive": ("friendly helpful polite attentive".split(), "patient kind courteous welcoming".split()),
        "negative": ("rude careless unfriendly impatient".split(), "arrogant clueless grumpy hostile".split()),
    },
}
# Reactions without an adjective.
OUTCOMES = {
    "positive": (
        ["I will come back", "we loved every minute", "I told all my friends", "it made my day"],
        ["we smiled all evening", "I would pay twice the price", "it earns five stars", "we want to return soon"],
    ),
    "negative": (
        ["I want my money back", "we hated every minute", "I warned all my friends", "it ruined my day"],
        ["we sighed all evening", "I would not pay half the price", "it earns no stars", "we want to forget it soon"],
    ),
}
PEOPLE = "my sister|my brother|the critic|my boss|our neighbour|my wife|my husband|the guidebook|everyone else".split(
    "|"
)
OPPOSITE = {"positive": "negative", "negative": "positive"}


def adjectives(domain: str, polarity: str, held_out: bool) -> list[str]:
    """The adjectives of a domain: its own ones twice, so that they are as frequent as the general ones."""
    own, general = ADJECTIVES[domain][polarity], ADJECTIVES["any"][polarity]
    return own[held_out] * 2 + general[held_out]
