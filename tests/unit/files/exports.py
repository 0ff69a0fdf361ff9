"""Made-up exports as several management systems lay them out, and the children whom all of them describe."""

from __future__ import annotations

from datetime import date

from domain.pupil_record import AttendanceTotals, Period, PupilNames, PupilRecord
from tests.unit.files.children import ACADEMIC_YEAR

ZOE = PupilNames(
    surname="Rooster",
    forename="Zoë",
    date_of_birth=date(2017, 11, 20),
    upn="B801200005001",
    postcode="CM1 1QH",
)
ANN = PupilNames(surname="O’Neill", forename="Ann", date_of_birth=date(2018, 1, 7), upn="H801200001001")

OF_ZOE = PupilRecord(
    sex="F",
    date_of_entry=date(2022, 9, 7),
    nc_year="3",
    class_name="Red class",
    free_school_meals=True,
    first_language="ENG",
    ethnicity="WBRI",
    sen_provision="K",
)
OF_ANN = PupilRecord(
    sex="F",
    date_of_entry=date(2023, 1, 9),
    nc_year="R",
    class_name="Elm",
    free_school_meals=False,
    first_language="FRN",
    ethnicity="WIRI",
    sen_provision="N",
)


def lines(*rows: str, delimiter: str = ",") -> str:
    """The rows, whose cells stand between bars, as a file."""
    return "".join(delimiter.join(row.split("|")) + "\r\n" for row in rows)


SIMS = lines(
    "Pupil list|||||||||||||",
    "Made-up Primary School|||||||||||||",
    "",
    "UPN|Legal Surname|Legal Forename|DOB|Gender|Admission Date|Year Taught In|Reg Group|FSM Eligible"
    "|First Language|Ethnicity|SEN Status|Postcode|Parent Email",
    "B801200005001|Rooster|Zoë|20-Nov-17|F|07-Sep-22|Year 3|Red class|T"
    "|English|White - British|SEN Support|CM1 1QH|parent@example.org",
    "H801200001001|O’Neill|Ann|07-Jan-18|F|09-Jan-23|Reception|Elm||French|White - Irish|||",
)

ARBOR = lines(
    "Legal First Name|Legal Last Name|Date of Birth|Legal Sex|Year Group|Registration Form|Date of Admission"
    "|UPN|Free School Meals|Home Language|Ethnicity|SEN Status|Home Postcode|Address|House",
    "Zoë|Rooster|2017-11-20|Female|Year 3|Red class|2022-09-07|B801200005001|Eligible|ENG|WBRI|K|CM1 1QH"
    '|"1 Acacia Avenue\nChelmsford"|Griffin',
    "Ann|O’Neill|2018-01-07|Female|Reception|Elm|2023-01-09|H801200001001|Not eligible|FRN|WIRI|N|"
    "|2 Acacia Avenue|Lion",
    delimiter=";",
)

BROMCOM = lines(
    "Preferred Forename|Preferred Surname|Forename|Surname|DOB|Sex|Reg|NC Year|Entry Date|UPN|FSM"
    "|Mother Tongue|Ethnic Code|SEN Code|Postcode",
    "||Zoë|Rooster|20/11/2017 00:00:00|F|Red class|3|07/09/2022 00:00:00|B801200005001|True|ENG|WBRI|K"
    "|CM1 1QH",
    "||Ann|O’Neill|07/01/2018 00:00:00|F|Elm|R|09/01/2023 00:00:00|H801200001001|False|FRN|WIRI|N|",
    delimiter="\t",
)

SCHOLARPACK = lines(
    "Surname|Forename|Pupil DOB|Gender|Class|Year|Date Joined|UPN|FSM|FSM Start Date|FSM End Date"
    "|Pupil Premium|First Language|Ethnicity|SEN Status|SEN Need|Possible Sessions|Authorised Absence"
    "|Unauthorised Absence|Former UPN|Postcode",
    "Rooster|Zoë|20/11/2017|F|Red class|3|07/09/2022|B801200005001|Y|05/09/2022||Y|ENG|WBRI|K|SLCN / MLD"
    "|200|6|1||CM1 1QH",
    "O’Neill|Ann|07/01/2018|F|Elm|R|09/01/2023|H801200001001|N|01/09/2021|22/07/2022|N|FRN|WIRI|N|"
    "|198|0|0|Y881200000001|",
)

OF_ZOE_WITH_PERIODS = {
    "meals_periods": (Period(start=date(2022, 9, 5)),),
    "sen_needs": ("SLCN", "MLD"),
    "attendance": AttendanceTotals(academic_year=ACADEMIC_YEAR, possible=200, authorised=6, unauthorised=1),
}
OF_ANN_WITH_PERIODS = {
    "meals_periods": (Period(start=date(2021, 9, 1), end=date(2022, 7, 22)),),
    "attendance": AttendanceTotals(academic_year=ACADEMIC_YEAR, possible=198, authorised=0, unauthorised=0),
}
