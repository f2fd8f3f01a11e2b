"""The stack's components: one `pulumi.ComponentResource` a module."""
