"""English words with their German counterparts: nouns, verbs, adjectives, adverbs and function words."""

from typing import NamedTuple


class Noun(NamedTuple):
    """English singular and plural; German gender (m, f, n), singular, plural, and the oblique singular of weak nouns."""

    en: str
    en_plural: str
    gender: str
    de: str
    de_plural: str
    oblique: str


class Verb(NamedTuple):
    """English forms; German infinitive, third person, preterite, participle, separable prefix, auxiliary and objects.

    `frame` names the objects in order: `a` accusative, `d` dative, `l` location, `g` goal; `kind` is what the last may
        be.
    """

    en: tuple[str, str, str, str]
    infinitive: str
    present: str
    past: str
    participle: str
    prefix: str
    auxiliary: str
    frame: str
    kind: str


def _nouns(table: str) -> list[Noun]:
    nouns = []
    for line in table.split(";"):
        en, en_plural, gender, de, de_plural, *oblique = line.split()
        nouns.append(Noun(en, en_plural, gender, de, de_plural, *(oblique or [de])))
    return nouns


def _verbs(table: str) -> list[Verb]:
    verbs = []
    for line in table.strip().splitlines():
        en, de, frame, kind = (part.strip() for part in line.split("|"))
        infinitive, present, past, participle, *rest = de.split()
        prefix = next((word[:-1] for word in rest if word.endswith("-")), "")
        forms = tuple(form.strip() for form in en.split(","))
        verbs.append(
            Verb(
                forms, infinitive, present, past, participle, prefix, "sein" if "sein" in rest else "haben", frame, kind
            )
        )
    return verbs


# Nouns by kind. The second list of a pair is rare in training: see translation.py.
NOUNS = {
    "person": (
        _nouns(
            "man men m Mann Männer;woman women f Frau Frauen;child children n Kind Kinder;doctor doctors m Arzt Ärzte;"
            "teacher teachers m Lehrer Lehrer;boy boys m Junge Jungen Jungen;girl girls n Mädchen Mädchen;"
            "student students m Student Studenten Studenten;friend friends m Freund Freunde;aunt aunts f Tante Tanten;"
            "sister sisters f Schwester Schwestern;brother brothers m Bruder Brüder;king kings m König Könige;"
            "guest guests m Gast Gäste;baby babies n Baby Babys;queen queens f Königin Königinnen"
        ),
        _nouns(
            "neighbour neighbours m Nachbar Nachbarn Nachbarn;uncle uncles m Onkel Onkel;cousin cousins f Cousine Cousinen;"
            "baker bakers m Bäcker Bäcker;nurse nurses f Pflegerin Pflegerinnen;poet poets m Dichter Dichter"
        ),
    ),
    "thing": (
        _nouns(
            "book books n Buch Bücher;table tables m Tisch Tische;lamp lamps f Lampe Lampen;picture pictures n Bild Bilder;"
            "letter letters m Brief Briefe;newspaper newspapers f Zeitung Zeitungen;bottle bottles f Flasche Flaschen;"
            "key keys m Schlüssel Schlüssel;chair chairs m Stuhl Stühle;bag bags f Tasche Taschen;knife knives n Messer Messer;"
            "flower flowers f Blume Blumen;clock clocks f Uhr Uhren;shirt shirts n Hemd Hemden;car cars n Auto Autos;"
            "coat coats m Mantel Mäntel;bed beds n Bett Betten;apple apples m Apfel Äpfel"
        ),
        _nouns(
            "spoon spoons m Löffel Löffel;fork forks f Gabel Gabeln;ring rings m Ring Ringe;hat hats m Hut Hüte;"
            "plate plates m Teller Teller;cup cups f Tasse Tassen;glass glasses n Glas Gläser;carpet carpets m Teppich Teppiche;"
            "bicycle bicycles n Fahrrad Fahrräder;candle candles f Kerze Kerzen"
        ),
    ),
    "place": (
        _nouns(
            "house houses n Haus Häuser;garden gardens m Garten Gärten;church churches f Kirche Kirchen;"
            "school schools f Schule Schulen;village villages n Dorf Dörfer;forest forests m Wald Wälder;town towns f Stadt Städte;"
            "shop shops m Laden Läden;kitchen kitchens f Küche Küchen;museum museums n Museum Museen"
        ),
        _nouns(
            "cellar cellars m Keller Keller;castle castles n Schloss Schlösser;tower towers m Turm Türme;"
            "factory factories f Fabrik Fabriken;theatre theatres n Theater Theater;park parks m Park Parks"
        ),
    ),
    "animal": (
        _nouns("dog dogs m Hund Hunde;cat cats f Katze Katzen;horse horses n Pferd Pferde;bird birds m Vogel Vögel"),
        _nouns("cow cows f Kuh Kühe;pig pigs n Schwein Schweine;bear bears m Bär Bären Bären;duck ducks f Ente Enten"),
    ),
}
# Kinds of nouns that can be an object of a kind.
KINDS = {
    "any": ["person", "thing", "animal"],
    "person": ["person"],
    "thing": ["thing"],
    "place": ["place"],
    "living": ["person", "animal"],
}
VERBS = _verbs("""
see, sees, saw, seen | sehen sieht sah gesehen | a | any
find, finds, found, found | finden findet fand gefunden | a | any
buy, buys, bought, bought | kaufen kauft kaufte gekauft | a | thing
sell, sells, sold, sold | verkaufen verkauft verkaufte verkauft | a | thing
paint, paints, painted, painted | malen malt malte gemalt | a | any
carry, carries, carried, carried | tragen trägt trug getragen | a | thing
clean, cleans, cleaned, cleaned | putzen putzt putzte geputzt | a | thing
need, needs, needed, needed | brauchen braucht brauchte gebraucht | a | any
know, knows, knew, known | kennen kennt kannte gekannt | a | person
visit, visits, visited, visited | besuchen besucht besuchte besucht | a | person
ask, asks, asked, asked | fragen fragt fragte gefragt | a | person
love, loves, loved, loved | lieben liebt liebte geliebt | a | any
look for, looks for, looked for, looked for | suchen sucht suchte gesucht | a | any
repair, repairs, repaired, repaired | reparieren repariert reparierte repariert | a | thing
forget, forgets, forgot, forgotten | vergessen vergisst vergaß vergessen | a | any
lose, loses, lost, lost | verlieren verliert verlor verloren | a | thing
describe, describes, described, described | beschreiben beschreibt beschrieb beschrieben | a | any
draw, draws, drew, drawn | zeichnen zeichnet zeichnete gezeichnet | a | any
steal, steals, stole, stolen | stehlen stiehlt stahl gestohlen | a | thing
help, helps, helped, helped | helfen hilft half geholfen | d | living
thank, thanks, thanked, thanked | danken dankt dankte gedankt | d | person
follow, follows, followed, followed | folgen folgt folgte gefolgt sein | d | living
trust, trusts, trusted, trusted | vertrauen vertraut vertraute vertraut | d | person
answer, answers, answered, answered | antworten antwortet antwortete geantwortet | d | person
call, calls, called, called | rufen ruft rief angerufen an- | a | person
invite, invites, invited, invited | laden lädt lud eingeladen ein- | a | person
pick up, picks up, picked up, picked up | holen holt holte abgeholt ab- | a | person
bring along, brings along, brought along, brought along | bringen bringt brachte mitgebracht mit- | a | any
try out, tries out, tried out, tried out | probieren probiert probierte ausprobiert aus- | a | thing
put away, puts away, put away, put away | legen legt legte weggelegt weg- | a | thing
throw away, throws away, threw away, thrown away | werfen wirft warf weggeworfen weg- | a | thing
look at, looks at, looked at, looked at | sehen sieht sah angesehen an- | a | any
give, gives, gave, given | geben gibt gab gegeben | da | thing
show, shows, showed, shown | zeigen zeigt zeigte gezeigt | da | thing
send, sends, sent, sent | schicken schickt schickte geschickt | da | thing
lend, lends, lent, lent | leihen leiht lieh geliehen | da | thing
bring, brings, brought, brought | bringen bringt brachte gebracht | da | thing
sit, sits, sat, sat | sitzen sitzt saß gesessen | l | place
stand, stands, stood, stood | stehen steht stand gestanden | l | place
sleep, sleeps, slept, slept | schlafen schläft schlief geschlafen | l | place
wait, waits, waited, waited | warten wartet wartete gewartet | l | place
work, works, worked, worked | arbeiten arbeitet arbeitete gearbeitet | l | place
go, goes, went, gone | gehen geht ging gegangen sein | g | place
run, runs, ran, run | laufen läuft lief gelaufen sein | g | place
come, comes, came, come | kommen kommt kam gekommen sein | g | place
""")
# English -> German stem, to which endings are added, and the predicative form.
ADJECTIVES = {
    "old": ("alt", "alt"), "young": ("jung", "jung"), "small": ("klein", "klein"), "big": ("groß", "groß"),
    "new": ("neu", "neu"), "beautiful": ("schön", "schön"), "red": ("rot", "rot"), "blue": ("blau", "blau"),
    "heavy": ("schwer", "schwer"), "expensive": ("teur", "teuer"), "dark": ("dunkl", "dunkel"), "quiet": ("ruhig", "ruhig"),
    "tired": ("müde", "müde"), "clever": ("klug", "klug"), "rich": ("reich", "reich"), "poor": ("arm", "arm"),
    "black": ("schwarz", "schwarz"), "clean": ("sauber", "sauber"),
}  # fmt: skip
# kind of noun -> adjectives that fit
FITTING = {
    "person": "old young small big quiet tired clever rich poor".split(),
    "animal": "old young small big quiet tired clever black".split(),
    "thing": "old small big new beautiful red blue heavy expensive dark black clean".split(),
    "place": "old small big new beautiful dark quiet clean".split(),
}
# English -> (German stem, declension) for singular and plural; declensions: der, dieser, ein, strong.
SINGULAR = {
    "the": ("", "der"), "a": ("ein", "ein"), "this": ("dies", "dieser"), "every": ("jed", "dieser"), "my": ("mein", "ein"),
    "his": ("sein", "ein"), "our": ("unser", "ein"), "no": ("kein", "ein"),
}  # fmt: skip
PLURAL = {
    "the": ("", "der"), "these": ("dies", "dieser"), "my": ("mein", "ein"), "our": ("unser", "ein"), "no": ("kein", "ein"),
    "two": ("zwei", "strong"), "three": ("drei", "strong"), "": ("", "strong"),
}  # fmt: skip
MODALS = {
    "can": ("kann", "können"),
    "must": ("muss", "müssen"),
    "should": ("soll", "sollen"),
    "may": ("darf", "dürfen"),
}
ADVERBS = {
    "present": {"today": "heute", "now": "jetzt", "often": "oft", "sometimes": "manchmal", "on Monday": "am Montag",
                "in summer": "im Sommer"},
    "perfect": {"today": "heute", "often": "oft", "now": "jetzt"},
    "past": {"yesterday": "gestern", "in the evening": "am Abend", "last year": "letztes Jahr", "on Friday": "am Freitag",
             "then": "dann"},
}  # fmt: skip
LOCATIONS = {"in": "in", "behind": "hinter", "in front of": "vor", "next to": "neben"}
COMPANY = {"with": ("mit", "dat"), "for": ("für", "acc"), "without": ("ohne", "acc")}
CONJUNCTIONS = {"because": "weil", "although": "obwohl", "while": "während"}
SAYING = {"present": {"says": "sagt", "hopes": "hofft", "believes": "glaubt", "thinks": "denkt"},
          "past": {"said": "sagte", "hoped": "hoffte", "believed": "glaubte", "thought": "dachte"}}  # fmt: skip
