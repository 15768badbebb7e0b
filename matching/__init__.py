"""Find the patient, and know when not to. Pure: same print, roster and policy, same decision."""
