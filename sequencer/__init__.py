"""What happens next: admission, ordering and sealing. Decides; performs nothing."""
