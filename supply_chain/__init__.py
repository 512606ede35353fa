"""What this project is made of and how it is written: licences, pins, secrets, known flaws, our own nevers, a bill."""
