"""Reading and writing DICOM objects, for every room."""
