"""The name of a file is a name, whatever stands in it."""

import yaml
from dag import copy_project, planned_files
from toy import CONFIG, LEARNT, write_sheet
from whole_run import run

NAME = "a $(touch ran) `touch ran`; touch ran & 'b' \"c\".csv"


def test_nothing_in_the_name_of_a_file_is_run(tmp_path):
    folder = copy_project(tmp_path)
    (folder / "resources" / NAME).write_text("frame,x [nm],y [nm]\n1,10,20\n2,20,20\n")
    write_sheet(folder, [*LEARNT, f"cell_1\tmixed\t{NAME}\t\t\t"])
    (folder / "tests" / "config" / "whole.yaml").write_text(yaml.safe_dump(CONFIG))
    (made,) = (name for name in planned_files(folder, CONFIG) if "cell_1" in name and name.endswith(".parquet"))
    run(folder, made)
    assert (folder / made).is_file()
    assert not list(folder.rglob("ran"))
