from typing import Literal

DirectUploadType = Literal["direct_upload_blobs"]

DIRECT_UPLOAD_TYPE_VALUES: set[DirectUploadType] = {
    "direct_upload_blobs",
}


def check_direct_upload_type(value: str) -> DirectUploadType:
    if value in DIRECT_UPLOAD_TYPE_VALUES:
        return value
    raise TypeError(f"Unexpected value {value!r}. Expected one of {DIRECT_UPLOAD_TYPE_VALUES!r}")
