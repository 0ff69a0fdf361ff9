"""What stands in which file of a school's full bundle: every file and every field, for whoever reads it."""

from __future__ import annotations

from collections.abc import Mapping

FORMAT = "target-tracker school bundle"
VERSION = 1

ID = "the pupil"
STEPS = (
    "every step that led there, oldest first: `position` in the stream, `at`, `by` whom, `event`, and the "
    "fields that the event set"
)

FILES: Mapping[str, tuple[str, Mapping[str, str]]] = {
    "school": (
        "The school.",
        {
            "school_id": "its id in this system",
            "name": "its name",
            "urn": "Unique Reference Number of the Department for Education",
            "local_authority": "local authority number, 3 digits",
            "establishment": "establishment number within it, 4 digits",
            "region": "region of England",
            "school_type": "infant, junior, primary, middle, all-through, special or other",
            "agreement_from": "the first day of the agreement under which the data was held",
            "official_email": "the school's official address",
        },
    ),
    "staff": (
        "Everybody with an account. Nothing of any password is in this bundle.",
        {
            "staff_id": "the account's id",
            "username": "what they log in with",
            "display_name": "what colleagues call them",
            "level": "read-only-nonames, read-only, limited-read-write, read-write or admin",
            "classes": "for limited-read-write, the classes that they record",
            "adviser": "for somebody from outside: `reason`, and `until`, the last day",
            "disabled": "the account cannot be used",
            "headteacher": "holds the role of headteacher",
        },
    ),
    "assessment-points": (
        "How academic years are divided, and which points are closed.",
        {
            "what": "`division` or `closed`",
            "from_year": "of a division: the year in which the first academic year starts that is divided so",
            "division": "`terms` (three) or `half-terms` (six); three terms before the first division",
            "academic_year": "of a closed point: the year in which its academic year starts",
            "term": "of a closed point: the term or half-term; null for results of the whole year",
        },
    ),
    "statement-set": (
        "The school's statements of Assessing Pupil Progress.",
        {
            "statement_id": "its id",
            "subject": "subject code",
            "code": "the school's own code",
            "band": "the band that it belongs to, 1 to 6, or null",
            "text": "the text",
            "withdrawn": "it is judged no longer",
        },
    ),
    "pupils": (
        "Every pupil, those who left too; not those who were erased.",
        {
            "pupil_id": ID,
            "version": "the number of events of the record",
            "left_on": "when the child left, if away",
            "leaving_reason": "why, if away: a code of the Department for Education",
            "destination": "where to, if away and its numbers are known: la, establishment",
            "away": "the times between leaving and coming back: left_on, returned_on",
            "term_of_birth": "autumn, spring or summer: what benchmarks are told of the date of birth",
            "on_roll": "whether the child is at the school",
            "entered": "the fields that the school entered itself, which no file replaced",
            "names": "who the child is: surname, forename, date_of_birth, upn (Unique Pupil Number), "
            "former_upns (the oldest first), mistyped_upns (entered by mistake), postcode, "
            "middle_names, preferred_surname, preferred_forename, "
            "former_surname, former_forename, previous_setting (in the school's words), previous_schools "
            "(name, local_authority, establishment, entered_on, left_on, leaving_reason), attendance_before "
            "(of other years and schools, as files told it: academic_year, possible, authorised, "
            "unauthorised, name, local_authority, establishment), other_elements (of Common Transfer Files, "
            "which no field holds, unchanged: xml, path, of, after)",
            "record": "everything else: sex, date_of_entry, nc_year, class_name, free_school_meals, "
            "first_language, ethnicity, sen_provision, in_care, gifted, attendance (totals of the academic "
            "year so far: academic_year, possible, authorised, unauthorised), upn_missing (why there is no "
            "UPN), meals_periods, premium_periods (with reason), sen_periods (with provision), sen_needs "
            "(the primary one first), eal (as the school says itself), talented, care_periods (with kind), "
            "post_looked_after, preschool_terms, enrolment_status. Periods have start and end, both days "
            "included. Codes are those of the Department for Education, as they were supplied",
        },
    ),
    "leaving": (
        "When pupils left, and came back: one line for each time.",
        {
            "pupil_id": ID,
            "position": "in the stream",
            "at": "when it was recorded",
            "by": "by whom",
            "event": "pupil.left or pupil.returned",
            "left_on": "the last day",
            "reason": "in the school's words",
            "reason_code": "why, as a code of the Department for Education",
            "destination": "the school that the child went to, as it was told",
            "destination_la": "its number of the local authority",
            "destination_establishment": "its number within the authority",
            "returned_on": "the first day back",
        },
    ),
    "notes": (
        "Notes about pupils, removed ones too.",
        {
            "pupil_id": ID,
            "note_id": "its id",
            "state": "`current` or `removed`",
            "written_on": "the day that it speaks of",
            "text": "what it says, or said last",
            "steps": STEPS,
        },
    ),
    "concerns": (
        "Concerns about pupils, closed ones too.",
        {
            "pupil_id": ID,
            "concern_id": "its id",
            "state": "`current` or `closed`",
            "opened_on": "since when",
            "text": "what it is about",
            "closed_on": "until when",
            "outcome": "what came of it",
            "steps": STEPS,
        },
    ),
    "assessments": (
        "Assessments of every scheme, and judgements of statements; corrected and voided ones too.",
        {
            "pupil_id": ID,
            "assessment_id": "its id",
            "state": "`current`, `superseded` (there is a later one of the same) or `voided`",
            "corrected": "it read otherwise once",
            "from_file": "a file corrected it last, and not the school",
            "result": "scheme, scheme_version, subject, value, academic_year (the year in which it starts), "
            "term (none for results of a whole year), nc_year, stage, component, method, qualifier, status "
            "(codes of the Common Transfer File), assessed_on, statement (its id); what is empty is left out",
            "meaning": "the same in words: scheme, measure, period, value, standing (below, at or above what "
            "is expected)",
            "statement": "the statement that was judged, as in statement-set",
            "steps": STEPS,
        },
    ),
    "targets": (
        "Targets, removed ones too.",
        {
            "pupil_id": ID,
            "target_id": "its id",
            "state": "`current` or `removed`",
            "target": "scheme, scheme_version, subject, component, value, academic_year, term",
            "steps": STEPS,
        },
    ),
    "attendance": (
        "The marks of the registers, as they stand: one line for each day.",
        {
            "pupil_id": ID,
            "date": "the day",
            "am": "the mark of the morning; left out, if there is none",
            "pm": "the mark of the afternoon; likewise",
        },
    ),
    "attendance-totals": (
        "Totals of attendance, in sessions (half days), as they stand.",
        {
            "pupil_id": ID,
            "first_day": "the first day of the period",
            "last_day": "its last day",
            "possible": "sessions that the child could have attended",
            "attended": "those attended",
            "authorised": "those missed with leave",
            "unauthorised": "those missed without",
        },
    ),
    "observations": (
        "Observations, withdrawn ones too.",
        {
            "pupil_id": ID,
            "observation_id": "its id",
            "state": "`current` or `withdrawn`",
            "observed_on": "the day",
            "text": "what was seen",
            "subject_code": "the subject, if it was in one",
            "steps": STEPS,
        },
    ),
    "photographs": (
        "The photographs of observations, withdrawn ones too; the files lie in the folder photographs.",
        {
            "pupil_id": ID,
            "observation_id": "the observation",
            "photograph_id": "its id",
            "file": "the file in this bundle",
            "media_type": "image/jpeg, image/png or image/webp",
            "width": "pixels",
            "height": "pixels",
            "withdrawn": "it, or its observation, is not shown any more",
        },
    ),
    "release-permissions": (
        "What the headteacher permitted to be released to somebody outside, and what was.",
        {
            "permission_id": "its id",
            "recipient": "who might have it",
            "purpose": "what for",
            "scope": "`school_figures` or `named_pupils`",
            "until": "the last day on which it might be released",
            "class_name": "only pupils of this class, or null",
            "nc_year": "only pupils of this NC year, or null",
            "pupil_ids": "only these pupils; none, where it is not said one by one",
            "given_by": "by whom it was given",
            "revoked_by": "by whom it was revoked, or null",
            "releases": "each release: release_id, by whom, pupils (how many it named), sha256 of the file",
        },
    ),
    "history": (
        "Everything that ever happened at the school: one line for each event of its stream, without gaps. "
        "What was said of a child who was erased cannot be read any more (`erased`).",
        {
            "position": "its place in the stream, from 1",
            "at": "when it was recorded",
            "by": "who caused it, by name",
            "actor": "the same: `kind` (staff, operator, system) and `staff_id`",
            "event": "what happened",
            "originator_id": "what it happened to",
            "originator_version": "its number among the events of that",
            "details": "what else the event says",
        },
    ),
}
"""What each file with one thing on each line holds, and what each of its fields means."""


def readme() -> str:
    """The text that goes with a bundle."""
    lines = [
        "EVERYTHING THAT A SCHOOL HOLDS IN TARGET TRACKER",
        "",
        f"Format: {FORMAT}, version {VERSION}.",
        "",
        "manifest.json says when this was made and by whom, the position of the school's stream that "
        "all of it was taken at, and of every file its size, SHA-256 and number of lines.",
        "",
        "Files that end in .ndjson are text in UTF-8 with one JSON object on each line (newline-delimited "
        "JSON). Days are written 2026-11-25, moments 2026-11-25T09:15:00+00:00. An academic year is the year "
        "in which it starts. Ids are UUIDs; they join the files to each other. A field may be null or, where "
        "it says so, left "
        "out.",
        "",
        "All of this is personal data of children. Keep it where only those can read it who must.",
    ]
    for name, (about, fields) in FILES.items():
        lines += ["", f"{name}.ndjson", about]
        lines += [f"  {field}: {meaning}." for field, meaning in fields.items()]
    lines += [
        "",
        "photographs/",
        "The photographs, by photograph_id: upright, with nothing in them but the picture.",
        "",
    ]
    return "\n".join(lines)
