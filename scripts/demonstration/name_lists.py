"""Forenames, surnames, ethnicities and languages that are found together, for children who are made up.

The lists are common names of many origins; whoever bears two of them together is a coincidence. The weights
follow the mix of England's primary schools in the school census of January 2025, roughly.
"""

from __future__ import annotations

from collections.abc import Mapping

import msgspec


class Origin(msgspec.Struct, frozen=True, kw_only=True):
    """Names that go together, and what else is likely of their bearers.

    Attributes:
        weight: How many in a thousand pupils.
        girls: Forenames.
        boys: Forenames.
        surnames: Surnames.
        ethnicities: DfE ethnicity codes, with weights.
        languages: DfE language codes, with weights.
    """

    weight: int
    girls: tuple[str, ...]
    boys: tuple[str, ...]
    surnames: tuple[str, ...]
    ethnicities: Mapping[str, int]
    languages: Mapping[str, int]


def _words(text: str) -> tuple[str, ...]:
    return tuple(text.split())


_BRITISH_GIRLS = _words(
    "Amelia Olivia Isla Ava Mia Freya Florence Poppy Ivy Lily Evie Sophie Willow Rosie Daisy Elsie Matilda "
    "Phoebe Harriet Alice Grace Charlotte Emily Jessica Ruby Ella Erin Eleanor Martha Penelope Imogen Nancy "
    "Summer Bonnie Maisie Zoë Chloë Beatrice Edith Heidi Orla Thea"
)
_BRITISH_BOYS = _words(
    "Oliver George Arthur Noah Leo Harry Oscar Archie Jack Henry Charlie Freddie Theodore Alfie Jacob Finley "
    "Thomas William Isaac James Edward Max Joshua Lucas Teddy Reuben Toby Samuel Elliot Rory Jude Albert "
    "Stanley Ralph Dylan Ethan Ronnie Frankie Hugo Logan Caleb Ewan"
)
_BRITISH_SURNAMES = _words(
    "Smith Jones Taylor Brown Wilson Evans Thomas Johnson Roberts Walker Wright Robinson Thompson White "
    "Edwards Green Hall Wood Harris Lewis Martin Jackson Clarke Clark Turner Hill Scott Cooper Morris Ward "
    "Moore King Watson Baker Harrison Morgan Patterson Young Allen Mitchell James Anderson Phillips Lee Bell "
    "Parker Davis Bennett Miller Cook Shaw Cox Carter Ellis Marshall Palmer Mason Webb Rogers Gray Hughes "
    "Gibson Holmes Mills Knight Fisher Barnes Powell Chapman Lloyd Butler Russell Barker Stevens Jenkins "
    "Murray Dixon O’Brien O’Connor Fletcher Pearson Howard Andrews Reynolds Woods Lawrence Griffiths Payne "
    "Hargreaves Fairclough Ashworth Pickering Thornton-Hughes Marlow Whitby Sedgwick"
)

ORIGINS = (
    Origin(
        weight=640,
        girls=_BRITISH_GIRLS,
        boys=_BRITISH_BOYS,
        surnames=_BRITISH_SURNAMES,
        ethnicities={"WBRI": 96, "WIRI": 1, "REFU": 2, "NOBT": 1},
        languages={"ENG": 1},
    ),
    Origin(
        weight=70,
        girls=_words("Zuzanna Maja Oliwia Hanna Lena Zofia Alicja Amelia Ioana Daria Ana Emilija Gabija"),
        boys=_words("Jakub Szymon Filip Antoni Kacper Mikołaj Aleksander Andrei David Matei Lukas Matas"),
        surnames=_words(
            "Nowak Kowalska Wiśniewski Wójcik Kamińska Zieliński Szymański Popescu Ionescu Dumitru Radu Stan "
            "Kazlauskas Petrauskas Horváth Novák Dimitrov Shevchenko Kovalenko"
        ),
        ethnicities={"WOTH": 1},
        languages={"POL": 45, "RMN": 25, "LIT": 8, "BUL": 6, "UKR": 6, "ENG": 10},
    ),
    Origin(
        weight=60,
        girls=_words("Aanya Diya Isha Meera Priya Riya Anika Saanvi Kavya Simran Jasleen Harleen Navya"),
        boys=_words("Aarav Arjun Rohan Vivaan Dev Krish Ishaan Aryan Veer Gurpreet Harjit Nikhil Advik"),
        surnames=_words(
            "Patel Sharma Singh Kaur Gupta Mehta Shah Desai Reddy Nair Iyer Joshi Chauhan Gill Sandhu Dhillon"
        ),
        ethnicities={"AIND": 1},
        languages={"GUJ": 25, "PNJ": 25, "HIN": 12, "MLM": 10, "TAM": 5, "ENG": 23},
    ),
    Origin(
        weight=60,
        girls=_words("Aisha Zainab Fatima Maryam Hafsa Amina Zara Inaya Khadija Sana Mahnoor Anaya Iqra"),
        boys=_words("Muhammad Ibrahim Yusuf Hamza Zayn Ali Bilal Haris Musa Ayaan Eesa Umar Rayyan"),
        surnames=_words(
            "Khan Ahmed Hussain Mahmood Akhtar Iqbal Malik Begum Mirza Butt Qureshi Siddiqui Raja Chaudhry"
        ),
        ethnicities={"APKN": 1},
        languages={"URD": 45, "PNJ": 25, "ENG": 30},
    ),
    Origin(
        weight=30,
        girls=_words("Tahmina Nusrat Sadia Ayesha Maliha Rumaisa Tasnim Jannat Sumaiya"),
        boys=_words("Abdul Rahim Tanvir Imran Shafiq Zakariya Ismail Nabil Mahdi"),
        surnames=_words("Miah Uddin Begum Choudhury Rahman Islam Khatun Hoque Alam Sultana"),
        ethnicities={"ABAN": 1},
        languages={"BNG": 75, "ENG": 25},
    ),
    Origin(
        weight=55,
        girls=_words("Adaeze Amara Temitope Zola Efua Abena Nyah Hodan Ifrah Makeda Folasade Blessing"),
        boys=_words("Chidi Emeka Tobi Kwame Kofi Ayodele Abdi Liban Yonas Samuel Daniel Ezekiel"),
        surnames=_words(
            "Okafor Adeyemi Okonkwo Mensah Boateng Asante Owusu Mohamed Hassan Abdi Tesfaye Ncube Eze Balogun"
        ),
        ethnicities={"BAFR": 96, "BOTH": 4},
        languages={"ENG": 45, "YOR": 18, "SOM": 20, "AKA": 10, "FRN": 7},
    ),
    Origin(
        weight=55,
        girls=_words("Kezia Tiana Amari Leila Maya Nevaeh Sienna Jada Naomi Isabella Ruby Zara Lola"),
        boys=_words("Jayden Malachi Kai Isaiah Elijah Marcus Theo Zion Tyrese Luca Rio Ezra Noah"),
        surnames=_words(
            "Campbell Grant Francis Bailey Gordon Reid Clarke Williams Davis Morgan Lewis Joseph Charles"
        ),
        ethnicities={"MWBC": 35, "BCRB": 25, "MWBA": 18, "MOTH": 22},
        languages={"ENG": 1},
    ),
    Origin(
        weight=30,
        girls=_words("Mei Lin Xinyi Hana Yuna Mai Linh Althea Bianca Sakura Layla Noor Yasmin"),
        boys=_words("Wei Jun Haoran Minh Kenji Joshua Miguel Rafael Darius Kian Omar Karim Yousef"),
        surnames=_words("Chen Wang Li Zhang Wong Cheung Nguyen Tran Santos Reyes Hosseini Karimi Haddad"),
        ethnicities={"CHNE": 35, "AOTH": 40, "OOTH": 15, "MWAS": 10},
        languages={"CHI": 30, "ARA": 15, "PRS": 12, "VIE": 10, "TGL": 13, "ENG": 20},
    ),
)
"""Every origin; the weights add up to a thousand."""

CLASSES_OF_TWO = {
    "R": ("Acorn", "Conker"),
    "1": ("Beech", "Birch"),
    "2": ("Cedar", "Cherry"),
    "3": ("Elder", "Elm"),
    "4": ("Hawthorn", "Holly"),
    "5": ("Larch", "Maple"),
    "6": ("Oak", "Willow"),
}
"""Class names of a school that has two classes a year."""

CLASSES_OF_ONE = {
    "R": ("Red class",),
    "1": ("Orange class",),
    "2": ("Yellow class",),
    "3": ("Green class",),
    "4": ("Blue class",),
    "5": ("Indigo class",),
    "6": ("Violet class",),
}
"""Class names of a school that has one class a year."""
