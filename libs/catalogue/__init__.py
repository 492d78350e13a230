"""The catalogue of notification types: data that says what each event is called, shown as and sent by."""
