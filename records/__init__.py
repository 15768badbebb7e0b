"""The values the stages hand each other. Standard library only; nothing here reads, writes or asks the time.

In the order in which a report travels: `printed_file` → `document` → `report` → `assessment` → `patient`
→ `decision` → `submission`, `case`, `alert`; `finding`, `instrument`, `audit`, `balance` and `errors` serve all.
"""
