from typing import Literal

GetClipsSort = Literal["-created_at", "-name", "created_at", "name"]

GET_CLIPS_SORT_VALUES: set[GetClipsSort] = {
    "-created_at",
    "-name",
    "created_at",
    "name",
}


def check_get_clips_sort(value: str) -> GetClipsSort:
    if value in GET_CLIPS_SORT_VALUES:
        return value
    raise TypeError(f"Unexpected value {value!r}. Expected one of {GET_CLIPS_SORT_VALUES!r}")
