"""Every mutation there is of printed pages."""

from __future__ import annotations

from collections.abc import Sequence

from bench import mutated_columns, mutated_digits, mutated_rows, mutated_sheets
from bench.page_changes import Mutation

MUTATIONS: Sequence[Mutation] = (
    mutated_columns.swap_columns, mutated_columns.swap_cells, mutated_columns.rename_header,
    mutated_columns.double_header, mutated_columns.rename_label, mutated_columns.insert_column,
    mutated_columns.remove_column, mutated_columns.move_column,
    mutated_rows.score_in_next_row, mutated_rows.answer_in_next_row, mutated_rows.score_in_next_column,
    mutated_rows.rotate_answers, mutated_rows.shift_answers, mutated_rows.remove_name, mutated_rows.swap_patients,
    mutated_rows.drop_heading, mutated_rows.drop_page_value, mutated_rows.merge_cells,
    mutated_digits.change_score, mutated_digits.change_answer, mutated_digits.change_identity,
    mutated_digits.lying_map, mutated_digits.overprint, mutated_digits.fake_bold, mutated_digits.day_first,
    mutated_sheets.cut_page, mutated_sheets.double_page, mutated_sheets.move_mark, mutated_sheets.second_mark,
)  # fmt: skip
