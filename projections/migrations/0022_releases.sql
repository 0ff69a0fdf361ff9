-- Benchmark releases that follow one another: tidy tables, each described where it lies; nothing in them is ever changed.

ALTER TABLE analytics.releases RENAME TO released;
ALTER TABLE analytics.released RENAME CONSTRAINT releases_pkey TO released_pkey;
ALTER TABLE analytics.released
    ADD COLUMN stream_position bigint,
    ADD COLUMN rules_version text NOT NULL DEFAULT '0',
    ADD COLUMN dominance_n integer,
    ADD COLUMN dominance_k numeric,
    ADD COLUMN p_percent numeric,
    ADD COLUMN rounding_base integer,
    ADD COLUMN share_decimals integer NOT NULL DEFAULT 4,
    ADD COLUMN mean_decimals integer,
    ADD COLUMN zeros boolean NOT NULL DEFAULT true,
    ADD COLUMN secondary boolean NOT NULL DEFAULT true,
    ADD COLUMN differencing boolean NOT NULL DEFAULT false,
    ADD COLUMN schools integer;
ALTER TABLE analytics.released
    ALTER COLUMN rules_version DROP DEFAULT,
    ALTER COLUMN share_decimals DROP DEFAULT,
    ALTER COLUMN zeros DROP DEFAULT,
    ALTER COLUMN secondary DROP DEFAULT,
    ALTER COLUMN differencing DROP DEFAULT;

-- That a release was withdrawn is a row of its own: so that whoever makes releases needs to change none.
CREATE TABLE analytics.withdrawals (
    release integer PRIMARY KEY REFERENCES analytics.released,
    withdrawn_at timestamptz NOT NULL DEFAULT now(),
    because text NOT NULL,
    stream_position bigint NOT NULL
);

CREATE VIEW analytics.releases AS
SELECT r.release, r.released_at, w.withdrawn_at, w.because AS withdrawn_because, r.schools, r.rules_version,
    r.minimum_pupils, r.minimum_schools, r.dominance_n, r.dominance_k, r.p_percent, r.rounding_base, r.share_decimals,
    r.mean_decimals, r.zeros, r.secondary, r.differencing, r.stream_position
FROM analytics.released r LEFT JOIN analytics.withdrawals w USING (release);

CREATE TABLE analytics.characteristics (
    characteristic text NOT NULL,
    category text NOT NULL,
    label text NOT NULL,
    sequence integer NOT NULL,
    PRIMARY KEY (characteristic, category)
);
CREATE TABLE analytics.measures (
    measure text PRIMARY KEY,
    label text NOT NULL,
    unit text NOT NULL,
    description text NOT NULL,
    sequence integer NOT NULL
);
CREATE TABLE analytics.symbols (
    symbol text PRIMARY KEY,
    meaning text NOT NULL
);

INSERT INTO analytics.measures VALUES
    ('pupils', 'Pupils', 'pupils', 'Pupils with a result that can be held against what was expected.', 1),
    ('below', 'Below expected', 'share', 'The share of them who were below what was expected, 0 to 1.', 2),
    ('at', 'At expected', 'share', 'The share of them who were at what was expected, 0 to 1.', 3),
    ('above', 'Above expected', 'share', 'The share of them who were above what was expected, 0 to 1.', 4),
    ('mean_points', 'Mean points', 'points', 'The mean of their points, on the scale that the row names.', 5),
    ('progress', 'Progress', 'points',
        'The mean of the points gained since the point before, by those who have a result there, too.', 6);

INSERT INTO analytics.symbols VALUES
    ('c', 'Suppressed, so that no pupil and no school can be found.'),
    ('z', 'Not applicable: nobody is in the category, or there is no such figure, as where nothing is expected.'),
    ('x', 'Not available: what the figure is made of was not recorded.'),
    ('low', 'Rounds to nothing, and is more than nothing.');

INSERT INTO analytics.characteristics
SELECT characteristic, category, label, row_number() OVER ()
FROM (VALUES
    ('all', 'all', 'All pupils'),
    ('sex', 'F', 'Female'), ('sex', 'M', 'Male'), ('sex', 'unknown', 'Not known, or withheld'),
    ('free_school_meals', 'yes', 'Eligible for free school meals'),
    ('free_school_meals', 'no', 'Not eligible for free school meals'),
    ('free_school_meals', 'unknown', 'Eligibility for free school meals not known'),
    ('pupil_premium', 'yes', 'Pupil premium'), ('pupil_premium', 'no', 'No pupil premium'),
    ('sen', 'none', 'No special educational needs'), ('sen', 'support', 'SEN support'),
    ('sen', 'plan', 'Education, health and care plan, or a statement before there were any'),
    ('sen', 'unknown', 'Special educational needs not known'),
    ('eal', 'yes', 'English as an additional language'), ('eal', 'no', 'English is the first language'),
    ('eal', 'unknown', 'First language not known'),
    ('ethnicity_group', 'White', 'White'), ('ethnicity_group', 'Mixed', 'Mixed'),
    ('ethnicity_group', 'Asian or Asian British', 'Asian or Asian British'),
    ('ethnicity_group', 'Black or Black British', 'Black or Black British'),
    ('ethnicity_group', 'Chinese', 'Chinese'),
    ('ethnicity_group', 'Any other ethnic group', 'Any other ethnic group'),
    ('ethnicity_group', 'unknown', 'Ethnicity not known, refused or not obtained'),
    ('in_care', 'yes', 'Looked after by a local authority'), ('in_care', 'no', 'Not looked after'),
    ('in_care', 'unknown', 'Not known whether looked after'),
    ('term_of_birth', 'autumn', 'Born September to December'),
    ('term_of_birth', 'spring', 'Born January to April'), ('term_of_birth', 'summer', 'Born May to August'),
    ('term_of_birth', 'unknown', 'Term of birth not known to the service'),
    ('region', 'East Midlands', 'East Midlands'), ('region', 'East of England', 'East of England'),
    ('region', 'London', 'London'), ('region', 'North East', 'North East'), ('region', 'North West', 'North West'),
    ('region', 'South East', 'South East'), ('region', 'South West', 'South West'),
    ('region', 'West Midlands', 'West Midlands'),
    ('region', 'Yorkshire and The Humber', 'Yorkshire and The Humber'),
    ('region', 'unknown', 'Region not known'),
    ('school_type', 'infant', 'Infant and first schools'), ('school_type', 'junior', 'Junior schools'),
    ('school_type', 'primary', 'Infant and junior (primary) schools'),
    ('school_type', 'middle', 'Middle schools deemed primary'),
    ('school_type', 'all-through', 'All-through schools'), ('school_type', 'special', 'Special schools'),
    ('school_type', 'other', 'Other schools'), ('school_type', 'unknown', 'Type of school not known'),
    ('fsm_fifth', '1', 'Schools in the fifth with the smallest share of free school meals'),
    ('fsm_fifth', '2', 'Schools in the second fifth by free school meals'),
    ('fsm_fifth', '3', 'Schools in the middle fifth by free school meals'),
    ('fsm_fifth', '4', 'Schools in the fourth fifth by free school meals'),
    ('fsm_fifth', '5', 'Schools in the fifth with the largest share of free school meals'),
    ('fsm_fifth', 'unknown', 'Schools of which the share of free school meals is not known'),
    ('size_band', 'up-to-100', 'Schools of up to 100 pupils'), ('size_band', '101-200', 'Schools of 101 to 200 pupils'),
    ('size_band', '201-300', 'Schools of 201 to 300 pupils'), ('size_band', '301-400', 'Schools of 301 to 400 pupils'),
    ('size_band', 'over-400', 'Schools of more than 400 pupils')
) AS listed (characteristic, category, label);
INSERT INTO analytics.characteristics
SELECT 'similar_schools', f.category || '/' || s.category, f.label || '; ' || lower(left(s.label, 1)) || substr(s.label, 2),
    1000 + row_number() OVER (ORDER BY f.sequence, s.sequence)
FROM analytics.characteristics f, analytics.characteristics s
WHERE f.characteristic = 'fsm_fifth' AND s.characteristic = 'size_band';

ALTER TABLE analytics.benchmarks RENAME TO benchmarks_until_0022;
ALTER TABLE analytics.benchmarks_until_0022 RENAME CONSTRAINT benchmarks_pkey TO benchmarks_until_0022_pkey;

CREATE TABLE analytics.benchmarks (
    release integer NOT NULL REFERENCES analytics.released,
    academic_year text NOT NULL CHECK (academic_year ~ '^[0-9]{4}/[0-9]{2}$'),
    assessment_point text NOT NULL CHECK (assessment_point IN (
        'autumn', 'spring', 'summer', 'autumn-1', 'spring-1', 'summer-1', 'year')),
    scheme text NOT NULL,
    subject text NOT NULL,
    nc_year text NOT NULL,
    characteristic text NOT NULL,
    category text NOT NULL,
    measure text NOT NULL REFERENCES analytics.measures,
    point_scale text CHECK (point_scale IS NULL OR measure IN ('mean_points', 'progress')),
    value numeric,
    symbol text REFERENCES analytics.symbols CHECK (symbol IN ('c', 'z', 'x', 'low')),
    CHECK ((value IS NULL) = (symbol IS NOT NULL)),
    FOREIGN KEY (characteristic, category) REFERENCES analytics.characteristics,
    PRIMARY KEY (release, academic_year, assessment_point, scheme, subject, nc_year, characteristic, category, measure)
);

CREATE TABLE analytics.school_distribution (
    release integer NOT NULL REFERENCES analytics.released,
    academic_year text NOT NULL CHECK (academic_year ~ '^[0-9]{4}/[0-9]{2}$'),
    assessment_point text NOT NULL CHECK (assessment_point IN (
        'autumn', 'spring', 'summer', 'autumn-1', 'spring-1', 'summer-1', 'year')),
    scheme text NOT NULL,
    subject text NOT NULL,
    nc_year text NOT NULL,
    measure text NOT NULL REFERENCES analytics.measures,
    point_scale text CHECK (point_scale IS NULL OR measure IN ('mean_points', 'progress')),
    decile smallint NOT NULL CHECK (decile BETWEEN 1 AND 9),
    value numeric,
    symbol text REFERENCES analytics.symbols CHECK (symbol IN ('c', 'z', 'x', 'low')),
    CHECK ((value IS NULL) = (symbol IS NOT NULL)),
    PRIMARY KEY (release, academic_year, assessment_point, scheme, subject, nc_year, measure, decile)
);

CREATE TABLE analytics.school_bands (
    release integer NOT NULL REFERENCES analytics.released,
    academic_year text NOT NULL CHECK (academic_year ~ '^[0-9]{4}/[0-9]{2}$'),
    assessment_point text NOT NULL CHECK (assessment_point IN (
        'autumn', 'spring', 'summer', 'autumn-1', 'spring-1', 'summer-1', 'year')),
    characteristic text NOT NULL CHECK (characteristic IN ('fsm_fifth', 'size_band')),
    category text NOT NULL,
    from_value numeric NOT NULL,
    below_value numeric,
    FOREIGN KEY (characteristic, category) REFERENCES analytics.characteristics,
    PRIMARY KEY (release, academic_year, assessment_point, characteristic, category)
);

INSERT INTO analytics.benchmarks
SELECT release, academic_year, term, scheme, subject, nc_year, 'all', 'all',
    CASE standing WHEN 'all' THEN 'pupils' ELSE standing END, NULL,
    CASE standing WHEN 'all' THEN pupils ELSE share END, symbol
FROM analytics.benchmarks_until_0022;
DROP TABLE analytics.benchmarks_until_0022;

CREATE TABLE analytics.data_dictionary (
    table_name text NOT NULL,
    column_name text NOT NULL,
    type text NOT NULL,
    unit text,
    description text NOT NULL,
    PRIMARY KEY (table_name, column_name)
);

CREATE TEMPORARY TABLE described (table_name text, column_name text, unit text, description text) ON COMMIT DROP;
INSERT INTO described VALUES
    ('benchmarks', '', NULL, 'The released figures: one in each row, or a symbol in its place.'),
    ('benchmarks', 'release', NULL, 'The release that the figure came with; one point may be in several.'),
    ('benchmarks', 'academic_year', NULL, 'As in 2025/26.'),
    ('benchmarks', 'assessment_point', NULL,
        'autumn, spring, summer: the end of that term, and of its second half; autumn-1, spring-1, summer-1: the end of its first half, in schools that divide their years so; year: a result of the whole year.'),
    ('benchmarks', 'scheme', NULL, 'The scheme of the results: steps, ks2-tests, phonics, ...'),
    ('benchmarks', 'subject', NULL, 'What was measured, by the code of the scheme: REA, WRI, MAT, ...; GLD is a good level of development.'),
    ('benchmarks', 'nc_year', NULL, 'The National Curriculum year that the pupils were in then.'),
    ('benchmarks', 'characteristic', NULL, 'What pupils, or schools, are told apart by; all: nothing.'),
    ('benchmarks', 'category', NULL, 'The part of it; those of one characteristic make up all pupils.'),
    ('benchmarks', 'measure', NULL, 'What the figure is: see measures.'),
    ('benchmarks', 'point_scale', NULL, 'The scale of the points, for mean_points and progress.'),
    ('benchmarks', 'value', 'that of the measure', 'The figure, rounded as the rules of the release say; null where a symbol stands.'),
    ('benchmarks', 'symbol', NULL, 'Why there is no figure: see symbols. Null where there is one.'),
    ('school_distribution', '', NULL, 'How schools are spread: between which values each tenth of them lies.'),
    ('school_distribution', 'release', NULL, 'The release that the figure came with.'),
    ('school_distribution', 'academic_year', NULL, 'As in 2025/26.'),
    ('school_distribution', 'assessment_point', NULL, 'As in benchmarks.'),
    ('school_distribution', 'scheme', NULL, 'The scheme of the results.'),
    ('school_distribution', 'subject', NULL, 'What was measured, by the code of the scheme.'),
    ('school_distribution', 'nc_year', NULL, 'The National Curriculum year that the pupils were in then.'),
    ('school_distribution', 'measure', NULL, 'The figure of each school that schools are put in order by: see measures.'),
    ('school_distribution', 'point_scale', NULL, 'The scale of the points, for mean_points and progress.'),
    ('school_distribution', 'decile', 'tenths', 'So many tenths of the schools lie below the value: 1 to 9; 5 is the median.'),
    ('school_distribution', 'value', 'that of the measure', 'The value, rounded; null where a symbol stands.'),
    ('school_distribution', 'symbol', NULL, 'Why there is no value: see symbols. Null where there is one.'),
    ('school_bands', '', NULL, 'Which schools are in which fifth by free school meals, and in which band by size.'),
    ('school_bands', 'release', NULL, 'The release that the bands belong to.'),
    ('school_bands', 'academic_year', NULL, 'As in 2025/26.'),
    ('school_bands', 'assessment_point', NULL, 'As in benchmarks: schools are banded by their roll on its last day.'),
    ('school_bands', 'characteristic', NULL, 'fsm_fifth: by the share of pupils known to be eligible; size_band: by pupils on the roll.'),
    ('school_bands', 'category', NULL, 'The fifth or band.'),
    ('school_bands', 'from_value', 'share, or pupils', 'The least share (0 to 1, in whole hundredths) or number of pupils.'),
    ('school_bands', 'below_value', 'share, or pupils', 'The share or number that is too large for it; null: none is.'),
    ('releases', '', NULL, 'The releases, with the rules that each was made under, and those that were withdrawn.'),
    ('releases', 'release', NULL, 'The number of the release, from 1.'),
    ('releases', 'released_at', NULL, 'When it was released.'),
    ('releases', 'withdrawn_at', NULL, 'When it was withdrawn; its figures stay, and should not be used.'),
    ('releases', 'withdrawn_because', NULL, 'Why it was withdrawn.'),
    ('releases', 'schools', 'schools', 'How many schools were registered when it was proposed; null before that was noted.'),
    ('releases', 'rules_version', NULL, 'The version of the way in which the rules are carried out; 0 before releases followed one another.'),
    ('releases', 'minimum_pupils', 'pupils', 'No figure is about fewer pupils.'),
    ('releases', 'minimum_schools', 'schools', 'No figure is about fewer schools.'),
    ('releases', 'dominance_n', 'schools', 'So many of the largest schools ...'),
    ('releases', 'dominance_k', 'per cent', '... may not hold more than this share of the pupils of a figure.'),
    ('releases', 'p_percent', 'per cent', 'No school may be able to estimate another''s pupils of a figure more closely than this.'),
    ('releases', 'rounding_base', 'pupils', 'Numbers of pupils are rounded half up to multiples of this; null: they are not rounded.'),
    ('releases', 'share_decimals', 'places', 'Shares are told to so many places after the point.'),
    ('releases', 'mean_decimals', 'places', 'Means are told to so many places after the point; null: there are none.'),
    ('releases', 'zeros', NULL, 'Whether a zero is suppressed like any other small number.'),
    ('releases', 'secondary', NULL, 'Whether further figures are suppressed, so that none can be worked out from those beside it.'),
    ('releases', 'differencing', NULL, 'Whether figures are suppressed that an earlier release would let somebody work out.'),
    ('releases', 'stream_position', NULL, 'The position of the release in the operator''s stream; null for those before there was one.'),
    ('released', '', NULL, 'What releases is made of: the releases as they were made.'),
    ('released', 'release', NULL, 'The number of the release, from 1.'),
    ('released', 'released_at', NULL, 'When it was released.'),
    ('released', 'schools', 'schools', 'How many schools were registered when it was proposed.'),
    ('released', 'rules_version', NULL, 'The version of the way in which the rules are carried out; 0 before releases followed one another.'),
    ('released', 'minimum_pupils', 'pupils', 'No figure is about fewer pupils.'),
    ('released', 'minimum_schools', 'schools', 'No figure is about fewer schools.'),
    ('released', 'dominance_n', 'schools', 'As in releases.'),
    ('released', 'dominance_k', 'per cent', 'As in releases.'),
    ('released', 'p_percent', 'per cent', 'As in releases.'),
    ('released', 'rounding_base', 'pupils', 'As in releases.'),
    ('released', 'share_decimals', 'places', 'As in releases.'),
    ('released', 'mean_decimals', 'places', 'As in releases.'),
    ('released', 'zeros', NULL, 'As in releases.'),
    ('released', 'secondary', NULL, 'As in releases.'),
    ('released', 'differencing', NULL, 'As in releases.'),
    ('released', 'stream_position', NULL, 'As in releases.'),
    ('withdrawals', '', NULL, 'What releases is made of: the releases that were withdrawn.'),
    ('withdrawals', 'release', NULL, 'The release.'),
    ('withdrawals', 'withdrawn_at', NULL, 'When it was withdrawn.'),
    ('withdrawals', 'because', NULL, 'Why.'),
    ('withdrawals', 'stream_position', NULL, 'The position of the withdrawal in the operator''s stream.'),
    ('characteristics', '', NULL, 'What pupils and schools are told apart by, with all categories.'),
    ('characteristics', 'characteristic', NULL, 'As in benchmarks.'),
    ('characteristics', 'category', NULL, 'As in benchmarks; a school''s likes are its fifth and its band, with a slash between.'),
    ('characteristics', 'label', NULL, 'For people.'),
    ('characteristics', 'sequence', NULL, 'The order in which they are shown.'),
    ('measures', '', NULL, 'What the figures are.'),
    ('measures', 'measure', NULL, 'As in benchmarks.'),
    ('measures', 'label', NULL, 'For people.'),
    ('measures', 'unit', NULL, 'pupils, share (0 to 1) or points.'),
    ('measures', 'description', NULL, 'What it says.'),
    ('measures', 'sequence', NULL, 'The order in which they are shown.'),
    ('symbols', '', NULL, 'What stands in place of figures.'),
    ('symbols', 'symbol', NULL, 'As in benchmarks.'),
    ('symbols', 'meaning', NULL, 'What it means.'),
    ('data_dictionary', '', NULL, 'This description of every table and column; that of a table has no column name.'),
    ('data_dictionary', 'table_name', NULL, 'The table.'),
    ('data_dictionary', 'column_name', NULL, 'The column; empty for the table itself.'),
    ('data_dictionary', 'type', NULL, 'Its type in PostgreSQL; table or view for the table itself.'),
    ('data_dictionary', 'unit', NULL, 'What it is measured in, where it is.'),
    ('data_dictionary', 'description', NULL, 'What it holds.');

-- Described once: the dictionary and the comments are the same words, and nothing is left without.
DO $$
DECLARE
    described_row record;
BEGIN
    FOR described_row IN
        SELECT c.relname, coalesce(a.attname, '') AS attname, c.relkind, d.unit, d.description,
            CASE WHEN a.attname IS NOT NULL THEN format_type(a.atttypid, a.atttypmod)
                WHEN c.relkind = 'v' THEN 'view' ELSE 'table' END AS type
        FROM pg_class c
        CROSS JOIN LATERAL (
            SELECT attname, atttypid, atttypmod FROM pg_attribute
            WHERE attrelid = c.oid AND attnum > 0 AND NOT attisdropped
            UNION ALL SELECT NULL, NULL, NULL
        ) AS a
        LEFT JOIN described d ON d.table_name = c.relname AND d.column_name = coalesce(a.attname, '')
        WHERE c.relnamespace = 'analytics'::regnamespace AND c.relkind IN ('r', 'v')
    LOOP
        INSERT INTO analytics.data_dictionary VALUES
            (described_row.relname, described_row.attname, described_row.type, described_row.unit,
            described_row.description);
        IF described_row.attname <> '' THEN
            EXECUTE format('COMMENT ON COLUMN analytics.%I.%I IS %L',
                described_row.relname, described_row.attname, described_row.description);
        ELSIF described_row.relkind = 'v' THEN
            EXECUTE format('COMMENT ON VIEW analytics.%I IS %L', described_row.relname, described_row.description);
        ELSE
            EXECUTE format('COMMENT ON TABLE analytics.%I IS %L', described_row.relname, described_row.description);
        END IF;
    END LOOP;
END
$$;

REVOKE ALL ON ALL TABLES IN SCHEMA analytics FROM target_tracker_api, target_tracker_worker, target_tracker_analytics;
GRANT SELECT ON ALL TABLES IN SCHEMA analytics
    TO target_tracker_api, target_tracker_worker, target_tracker_analytics;
GRANT INSERT ON analytics.released, analytics.withdrawals, analytics.benchmarks, analytics.school_distribution,
    analytics.school_bands TO target_tracker_worker;
