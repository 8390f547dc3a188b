"""Languages: ISO 639 codes, English names, and scripts."""

from __future__ import annotations

import re
from collections.abc import Iterable
from difflib import get_close_matches

from harness.safe_text import short

# ISO 639: the two-letter code, the three-letter codes (terminology, then bibliography), the English name.
_ISO = """
aa aar Afar;ab abk Abkhazian;ae ave Avestan;af afr Afrikaans;ak aka Akan;am amh Amharic;an arg Aragonese;ar ara Arabic;as asm Assamese;
av ava Avaric;ay aym Aymara;az aze Azerbaijani;ba bak Bashkir;be bel Belarusian;bg bul Bulgarian;bi bis Bislama;bm bam Bambara;
bn ben Bengali;bo bod tib Tibetan;br bre Breton;bs bos Bosnian;ca cat Catalan;ce che Chechen;ch cha Chamorro;co cos Corsican;cr cre Cree;
cs ces cze Czech;cu chu Slavonic;cv chv Chuvash;cy cym wel Welsh;da dan Danish;de deu ger German;dv div Dhivehi;dz dzo Dzongkha;
ee ewe Ewe;el ell gre Greek;en eng English;eo epo Esperanto;es spa Spanish;et est Estonian;eu eus baq Basque;fa fas per Persian;
ff ful Fulah;fi fin Finnish;fj fij Fijian;fo fao Faroese;fr fra fre French;fy fry Frisian;ga gle Irish;gd gla Gaelic;gl glg Galician;
gn grn Guarani;gu guj Gujarati;gv glv Manx;ha hau Hausa;he heb Hebrew;hi hin Hindi;ho hmo Motu;hr hrv Croatian;ht hat Haitian;
hu hun Hungarian;hy hye arm Armenian;hz her Herero;ia ina Interlingua;id ind Indonesian;ie ile Interlingue;ig ibo Igbo;ii iii Nuosu;
ik ipk Inupiaq;io ido Ido;is isl ice Icelandic;it ita Italian;iu iku Inuktitut;ja jpn Japanese;jv jav Javanese;ka kat geo Georgian;
kg kon Kongo;ki kik Kikuyu;kj kua Kwanyama;kk kaz Kazakh;kl kal Greenlandic;km khm Khmer;kn kan Kannada;ko kor Korean;kr kau Kanuri;
ks kas Kashmiri;ku kur Kurdish;kv kom Komi;kw cor Cornish;ky kir Kyrgyz;la lat Latin;lb ltz Luxembourgish;lg lug Ganda;li lim Limburgish;
ln lin Lingala;lo lao Lao;lt lit Lithuanian;lu lub Luba;lv lav Latvian;mg mlg Malagasy;mh mah Marshallese;mi mri mao Maori;
mk mkd mac Macedonian;ml mal Malayalam;mn mon Mongolian;mr mar Marathi;ms msa may Malay;mt mlt Maltese;my mya bur Burmese;na nau Nauru;
nb nob Bokmal;nd nde Ndebele;ne nep Nepali;ng ndo Ndonga;nl nld dut Dutch;nn nno Nynorsk;no nor Norwegian;nr nbl;nv nav Navajo;
ny nya Chichewa;oc oci Occitan;oj oji Ojibwa;om orm Oromo;or ori Odia;os oss Ossetian;pa pan Punjabi;pi pli Pali;pl pol Polish;
ps pus Pashto;pt por Portuguese;qu que Quechua;rm roh Romansh;rn run Rundi;ro ron rum Romanian;ru rus Russian;rw kin Kinyarwanda;
sa san Sanskrit;sc srd Sardinian;sd snd Sindhi;se sme;sg sag Sango;sh hbs;si sin Sinhala;sk slk slo Slovak;sl slv Slovenian;sm smo Samoan;
sn sna Shona;so som Somali;sq sqi alb Albanian;sr srp Serbian;ss ssw Swati;st sot Sotho;su sun Sundanese;sv swe Swedish;sw swa Swahili;
ta tam Tamil;te tel Telugu;tg tgk Tajik;th tha Thai;ti tir Tigrinya;tk tuk Turkmen;tl tgl Tagalog;tn tsn Tswana;to ton Tongan;
tr tur Turkish;ts tso Tsonga;tt tat Tatar;tw twi Twi;ty tah Tahitian;ug uig Uyghur;uk ukr Ukrainian;ur urd Urdu;uz uzb Uzbek;ve ven Venda;
vi vie Vietnamese;vo vol Volapuk;wa wln Walloon;wo wol Wolof;xh xho Xhosa;yi yid Yiddish;yo yor Yoruba;za zha Zhuang;zh zho chi Chinese;
zu zul Zulu
"""
# Languages without a two-letter code.
_THREE_LETTER_CODES = frozenset(
    """
ace acm acq aeb ajp als ang apc arc ars ary arz ast awa azb ban bar bem bho bjn bug bxr ceb chr cjk ckb crh csb cop dik dsb dyu egy
fon frp frr fur gan goh gom got grc gsw hak hil hne hsb hsn hyw ilo kaa kab kac kam kbp kea kmb knc krc krl ksh lad lez lij lld lmo ltg
lua luo lus lzh mag mai mdf mhr min mni mos mrj mwl myv nan nap nds new nso nus olo pag pam pap pcd pcm pdc qaa rmy rue sat sah scn sco
sdc shn sjd sma smj smn sms srn stq szl taq tcy tet tpi tum tyv tzm udm umb vec vep vls vro war wuu xal xmf yue zea zza
""".split()
)
# Other spellings: country codes that are not language codes, old codes, codes of dialects, and names.
_ALIASES = {
    "cn": "zh", "jp": "ja", "cz": "cs", "dk": "da", "gr": "el", "ua": "uk", "vn": "vi", "us": "en", "gb": "en", "rs": "sr",
    "iw": "he", "in": "id", "ji": "yi", "jw": "jv", "mo": "ro", "scc": "sr", "scr": "hr",
    "arb": "ar", "azj": "az", "cmn": "zh", "ekk": "et", "fil": "tl", "gaz": "om", "khk": "mn", "kmr": "ku", "lvs": "lv", "npi": "ne",
    "nor": "no", "ory": "or", "pbt": "ps", "pes": "fa", "plt": "mg", "prs": "fa", "quy": "qu", "swh": "sw", "uzn": "uz", "ydd": "yi",
    "zsm": "ms", "ayr": "ay",
    "deutsch": "de", "francais": "fr", "espanol": "es", "castilian": "es", "italiano": "it", "portugues": "pt", "nederlands": "nl",
    "flemish": "nl", "polski": "pl", "svenska": "sv", "dansk": "da", "norsk": "no", "suomi": "fi", "mandarin": "zh", "cantonese": "yue",
    "farsi": "fa", "filipino": "tl", "slovene": "sl",
}  # fmt: skip
_CODE_OF = (
    {word.lower(): line.split()[0] for line in _ISO.split(";") for word in line.split()}
    | _ALIASES
    | {code: code for code in _THREE_LETTER_CODES}
)  # code, name or alias → code
CODES = tuple(line.split()[0] for line in _ISO.split(";"))
_SUBTAGS = re.compile(r"[-_][A-Za-z0-9]{2,8}([-_][A-Za-z0-9]{2,8})*")
# Codes that nearly always stand for another language: their own name and code, then the probable name and code.
_CONFUSED = {"kr": ("Kanuri", "kau", "Korean", "ko")}

# English names as in the prefixes of multi-task checkpoints.
ENGLISH_NAMES = {
    "ar": "Arabic", "cs": "Czech", "de": "German", "en": "English", "es": "Spanish", "et": "Estonian", "fi": "Finnish",
    "fr": "French", "hi": "Hindi", "it": "Italian", "ja": "Japanese", "ko": "Korean", "lt": "Lithuanian", "lv": "Latvian",
    "nl": "Dutch", "pl": "Polish", "pt": "Portuguese", "ro": "Romanian", "ru": "Russian", "sv": "Swedish", "th": "Thai",
    "tr": "Turkish", "uk": "Ukrainian", "vi": "Vietnamese", "zh": "Chinese",
}  # fmt: skip

# Letters of scripts without blanks, for a character class: Chinese; then kana, Thai and Lao, Tibetan, Burmese, Khmer.
HAN = r"\u4e00-\u9fa5"
UNSPACED_LETTERS = HAN + r"\u3040-\u30ff\u0e00-\u0fff\u1000-\u109f\u1780-\u17ff"
_WORD = re.compile(rf"[{UNSPACED_LETTERS}]|[^\s{UNSPACED_LETTERS}]+")

# Languages written without blanks between words; first those in Chinese characters.
SINITIC = frozenset("zh yue wuu lzh gan hsn".split())
UNSPACED = SINITIC | frozenset("bo dz ja km lo my shn th".split())
# Scripts that only some languages use: name, letters, languages. The first that a text is written in decides.
_SCRIPTS = (
    ("Hangul", re.compile("[\uac00-\ud7a3]"), frozenset(["ko"])),
    ("kana", re.compile("[\u3041-\u30fa]"), frozenset(["ja"])),
    ("Chinese characters", re.compile("[\u4e00-\u9fff]"), SINITIC | {"ja", "nan", "hak"}),
    ("Thai letters", re.compile("[\u0e01-\u0e5b]"), frozenset(["th", "pi"])),
    ("Lao letters", re.compile("[\u0e81-\u0edf]"), frozenset(["lo"])),
    ("Khmer letters", re.compile("[\u1780-\u17ff]"), frozenset(["km"])),
    ("Burmese letters", re.compile("[\u1000-\u109f]"), frozenset(["my", "shn", "pi"])),
    ("Tibetan letters", re.compile("[\u0f00-\u0fff]"), frozenset(["bo", "dz"])),
)
_LETTER = re.compile(r"[^\W\d_]")
MOST_LETTERS = 0.5  # the share of its letters from which a text counts as written in a script
SOME_KANA = 0.1  # Japanese mixes kana with Chinese characters


def base_code(code: object) -> str:
    """Return the language of a code, without region or script, in ISO 639-1: `zh-TW`, `zho_Hans`, `cn` and `Chinese` are `zh`."""
    first = str(code or "").replace("_", "-").partition("-")[0].lower()
    return _CODE_OF.get(first, first)


def known_code(code: object) -> str:
    """Return the same as `base_code`, or "" for an unknown language."""
    return _CODE_OF.get(base_code(code), "")


def three_letters(language: str) -> list[str]:
    """Return the three-letter codes that stand for a two-letter code."""
    return [code for code, base in _CODE_OF.items() if base == language and len(code) == 3]


def code_error(code: object) -> str:
    """Explain why a value is not a language code; "" if it is one, or a name or code with only one sensible reading."""
    hint = ""
    if isinstance(code, str):
        first = re.split("[-_]", code, maxsplit=1)[0].lower()
        subtags = code[len(first) :]
        if first in _CONFUSED:
            own_name, own_code, probable_name, probable_code = _CONFUSED[first]
            return (
                f"is {short(code)}, the code of {own_name}; write {probable_code} if {probable_name} is meant, and {own_code} if not"
            )
        if first in _CODE_OF and (not subtags or _SUBTAGS.fullmatch(subtags)):
            return ""
        near = get_close_matches(first, [word for word in _CODE_OF if len(word) > 3], n=1, cutoff=0.75)
        hint = f"; did you mean {_CODE_OF[near[0]]} ({near[0].title()})?" if near else ""
    return (
        f"is {short(str(code))}; it must be the code of a language (ISO 639-1), such as {', '.join(ENGLISH_NAMES)}, or with a region "
        f"pt-BR{hint}; leave the option out for a language without a code"
    )


def reading_note(code: object) -> str:
    """Say as which code another one is read; "" for an ISO 639-1 code, with or without a region."""
    first = re.split("[-_]", str(code), maxsplit=1)[0].lower()
    return f"{short(str(code))} is read as {base_code(code)}" if base_code(code) != first else ""


def unexpected_script(code: object, texts: Iterable[str]) -> str:
    """Return the script of texts if the language of the code is not written in it; "" if they may be in that language."""
    language, text = base_code(code), " ".join(texts)
    letters = len(_LETTER.findall(text))
    if not letters:
        return ""
    shares = {name: len(pattern.findall(text)) / letters for name, pattern, _ in _SCRIPTS}
    for name, _, languages in _SCRIPTS:
        if shares[name] > (SOME_KANA if name == "kana" else MOST_LETTERS):
            return "" if language in languages else name
    if language in UNSPACED | {"ko"} and sum(shares.values()) < 1 - MOST_LETTERS:
        return "other letters"
    return ""


def count_words(text: str) -> int:
    """Count the words of a text: what stands between blanks, and each letter of a script without blanks."""
    return sum(1 for _ in _WORD.finditer(text))
