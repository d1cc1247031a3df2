"""The `labs` command line. Modules here import TensorFlow only in processes of their own."""
