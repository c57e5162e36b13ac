from typing import Literal

GetMediasSort = Literal[
    "-created_at", "-name", "-original_created_at", "created_at", "name", "original_created_at"
]

GET_MEDIAS_SORT_VALUES: set[GetMediasSort] = {
    "-created_at",
    "-name",
    "-original_created_at",
    "created_at",
    "name",
    "original_created_at",
}


def check_get_medias_sort(value: str) -> GetMediasSort:
    if value in GET_MEDIAS_SORT_VALUES:
        return value
    raise TypeError(f"Unexpected value {value!r}. Expected one of {GET_MEDIAS_SORT_VALUES!r}")
