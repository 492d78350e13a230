"""What people write, as what browsers and mail clients may show."""
