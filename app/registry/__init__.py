"""The registry: organisation, people, households, handsets, numbers, WeChat accounts, and who held what when."""
