"""The prompt lab as a page: verdict, matrix, forest, the file of a case, and the forms that ask for more."""
